import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/states.tsx'
import { Revision } from '../../parts/time.tsx'
import { importCommand, registerCommand } from '../../state/commands.ts'
import { asOf } from '../../state/location.ts'
import { Figures } from './figures.tsx'
import { LastChanges } from './last-changes.tsx'
import './overview.css'
import { Problems } from './problems.tsx'
import { Records } from './records.tsx'
import { ServiceSearch } from './service-search.tsx'
import { useFigures } from './use-figures.ts'

/** What runs, what is wrong, what changed last, and where it is kept. */
export function OverviewPage() {
  const figures = useFigures()
  const isEmpty = figures.data?.services.total === 0 && asOf.value === undefined
  return (
    <Page
      title="Overview"
      lead={
        figures.data !== undefined && (
          <>
            What runs, what depends on it, and what changed, at <Revision of={figures.data.revision} />.
          </>
        )
      }
    >
      <ServiceSearch />
      {isEmpty && <FirstSteps />}
      <Figures asked={figures} />
      <div class="overview-grid">
        <div class="stack">
          <Problems figures={figures} />
          <Records />
        </div>
        <LastChanges />
      </div>
    </Page>
  )
}

function FirstSteps() {
  return (
    <div class="first-steps">
      <Empty
        title="Nothing is registered yet. Register the first service from a terminal:"
        command={registerCommand()}
      >
        <p>It appears here at once, without reloading the page.</p>
      </Empty>
      <Empty
        title="Or import an example, the 28 services of the OpenTelemetry demo:"
        command={importCommand()}
      >
        <p>Run this in a checkout of the coordinator.</p>
      </Empty>
    </div>
  )
}
