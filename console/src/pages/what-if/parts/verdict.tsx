import type { ComponentChildren } from 'preact'
import type { Simulation } from '../../../api/types.ts'
import { shownText } from '../../../drawing/text/shown-text.ts'
import { Icon } from '../../../parts/icon.tsx'
import { Revision } from '../../../parts/time.tsx'
import type { Consequences } from '../read-consequences.ts'

/** What would break, in words. */
export function Verdict({ found }: { readonly found: Consequences }) {
  const { answer, direct, read } = found
  const labels = new Map(read.graph.nodes.map(({ id, label }) => [id, label]))
  const name = (id: string) => shownText(labels.get(id) ?? id)
  const { safe, brokenConsumers, violatedRanges, newCycles, unknownDependencies, lostProviders } = answer
  return (
    <section
      class={safe ? 'panel verdict verdict-safe' : 'panel verdict verdict-breaks'}
      aria-label="The answer"
    >
      <div role="status">
        <h2>
          <Icon name={safe ? 'check' : 'alert'} />
          {safe ? 'Nothing would break.' : `Not safe: ${harm(answer)}.`}
        </h2>
      </div>
      {safe && (
        <p>
          {direct.length === 0
            ? 'Nothing needs the changed services.'
            : `${listed(direct)} ${direct.length === 1 ? 'needs' : 'need'} the changed services directly. No range of versions that they state would be violated.`}
        </p>
      )}
      {answer.affected > 0 && (
        <p>
          {many(answer.affected, 'node needs', 'nodes need')} what would be gone, directly or through others.
        </p>
      )}
      <Details title="Gone" rows={lostProviders.map(({ id }) => name(id))} />
      {[...Map.groupBy(brokenConsumers, ({ loses }) => loses)].map(([lost, losers]) => (
        <Details
          key={lost}
          title={`Would lose ${name(lost)}`}
          rows={losers.map(({ id, type }) =>
            type === 'depends_on' ? name(id) : `${name(id)} (${shownText(type)})`,
          )}
        />
      ))}
      <Details
        title="Ranges that would be violated"
        rows={violatedRanges.map(
          ({ consumer, dependency, range, versions }) =>
            `${name(consumer)} wants ${name(dependency)} ${shownText(range)}; there would be ${versions.length === 0 ? 'no version' : shownText(versions.slice(0, 5).join(', '))}`,
        )}
      />
      <Details
        title="New cycles"
        rows={newCycles.map((cycle) => [...cycle, ...cycle.slice(0, 1)].map(name).join(' → '))}
      />
      <Details
        title="Needed, but not registered"
        rows={unknownDependencies.map(
          ({ consumer, dependency }) => `${name(consumer)} needs ${name(dependency)}`,
        )}
      />
      {answer.unjudged > 0 && (
        <Details
          title={`${many(answer.unjudged, 'range', 'ranges')} that cannot be judged, because a version cannot be compared`}
          rows={answer.unjudgedRanges.map(
            ({ consumer, dependency, range }) =>
              `${name(consumer)} wants ${name(dependency)} ${shownText(range)}`,
          )}
        />
      )}
      {!answer.complete && (
        <p>
          <strong>This is not all:</strong> the answer was cut ({answer.truncated}).
        </p>
      )}
      <p class="quiet">
        At <Revision of={answer.revision} />. Nothing was changed.
      </p>
    </section>
  )
}

const MOST_ROWS = 50

function Details({ title, rows }: { readonly title: string; readonly rows: readonly ComponentChildren[] }) {
  if (rows.length === 0) return null
  return (
    <div class="verdict-details">
      <h3>
        {title} <span class="quiet">{rows.length.toLocaleString('en')}</span>
      </h3>
      <ul>
        {rows.slice(0, MOST_ROWS).map((row, at) => (
          <li key={at}>{row}</li>
        ))}
        {rows.length > MOST_ROWS && <li class="quiet">and {rows.length - MOST_ROWS} more</li>}
      </ul>
    </div>
  )
}

function harm({ brokenConsumers, violatedRanges, newCycles, unknownDependencies }: Simulation): string {
  const losers = new Set(brokenConsumers.map(({ id }) => id))
  const services = [...losers].every((id) => id.startsWith('service:'))
  const [one, several] = services ? ['service', 'services'] : ['node', 'nodes']
  const parts = [
    losers.size > 0 ? `${many(losers.size, one, several)} would lose what they need` : '',
    violatedRanges.length > 0
      ? `${many(violatedRanges.length, 'range', 'ranges')} of versions would be violated`
      : '',
    newCycles.length > 0 ? `there would be ${many(newCycles.length, 'new cycle', 'new cycles')}` : '',
    unknownDependencies.length > 0
      ? `${unknownDependencies.length} of the needed services would not exist`
      : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, 8).map(shownText)
  const rest = labels.length - shown.length
  return rest > 0
    ? `${shown.join(', ')} and ${rest} others`
    : shown.length > 1
      ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
      : (shown[0] ?? '')
}

function many(count: number, one: string, several: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`
}
