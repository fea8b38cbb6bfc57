import { useEffect, useMemo, useState } from 'preact/hooks'
import { HEALTHS, type HealthWord } from '../../api/types.ts'
import { DataTable, type Sorting } from '../../parts/data-table.tsx'
import { Menu } from '../../parts/menu.tsx'
import { Page } from '../../parts/page.tsx'
import { Search } from '../../parts/search.tsx'
import { Empty, Loading, Shown } from '../../parts/states.tsx'
import { Revision } from '../../parts/time.tsx'
import { registerCommand } from '../../state/commands.ts'
import { asOf, query, setQuery } from '../../state/location.ts'
import { chosenColumns, columnChoices, tellingColumns, toggledColumns } from './columns.tsx'
import { matcher } from './service-row.ts'
import './services.css'
import { LISTED_MAX, type ListedServices, useServices } from './use-services.ts'

/** The list of services: search, filter by health, columns, order. All of it is in the address. */
export function ServicesPage() {
  const search = query('q') ?? ''
  const [tooMany, setTooMany] = useState(false)
  const asked = useServices(useResting(search, tooMany), tooMany)
  const total = asked.data?.total
  useEffect(() => {
    // While the server filters, `total` counts the matches only: then nothing says that it may stop.
    if (total !== undefined && total > LISTED_MAX) setTooMany(true)
  }, [total])
  return (
    <Page
      title="Services"
      lead={asked.data !== undefined && <Lead list={asked.data} />}
      toolbar={<Columns />}
    >
      <div class="services-filter">
        <Search
          label="Filter by name, tag, metadata, capability, owner"
          value={search}
          onInput={(text) => setQuery({ q: text })}
        />
      </div>
      <Shown asked={asked} what="the services">
        {(list) => <List list={list} search={search} />}
      </Shown>
    </Page>
  )
}

function Lead({ list: { total, revision } }: { readonly list: ListedServices }) {
  return (
    <>
      {total.toLocaleString('en')} at <Revision of={revision} />. Health comes from the heartbeats that this
      coordinator received.
    </>
  )
}

/** The search after a pause in typing, if each letter would ask the server. */
function useResting(text: string, waits: boolean): string {
  const [resting, setResting] = useState(text)
  useEffect(() => {
    if (!waits) return undefined
    const timer = setTimeout(() => setResting(text), 200)
    return () => clearTimeout(timer)
  }, [text, waits])
  return waits ? resting : ''
}

function List({ list, search }: { readonly list: ListedServices; readonly search: string }) {
  const health = HEALTHS.find((word) => word === query('health'))
  const columnText = query('columns')
  const columns = useMemo(() => tellingColumns(columnText, list.rows), [columnText, list.rows])
  const sorting = sortingOf(query('sort'))
  const found = useMemo(() => list.rows.filter(matcher(search)), [list.rows, search])
  const rows = useMemo(
    () => (health === undefined ? found : found.filter(({ service }) => service.health === health)),
    [found, health],
  )
  if (list.total === 0 && search === '')
    return (
      <Empty
        title={asOf.value === undefined ? 'No service is registered yet.' : 'No service was registered then.'}
        command={registerCommand()}
      >
        <p>Register the first one:</p>
      </Empty>
    )
  return (
    <>
      <HealthFilter rows={found} chosen={health} />
      {list.arriving && (
        <Loading what={`the other ${(list.total - list.rows.length).toLocaleString('en')}`} />
      )}
      {!list.arriving && list.rows.length < list.total && (
        <p class="services-part" role="status">
          {list.rows.length.toLocaleString('en')} of {list.total.toLocaleString('en')} are shown. Type above:
          the server then looks through all of them.
        </p>
      )}
      <DataTable
        caption="Services"
        hideCaption
        columns={columns}
        rows={rows}
        keyOf={({ service }) => service.serviceId}
        sorting={sorting}
        onSort={({ key, descending }) => setQuery({ sort: descending ? `-${key}` : key })}
        empty={
          <Empty title="No service matches.">
            <p>
              <button
                type="button"
                class="button"
                onClick={() => setQuery({ q: undefined, health: undefined })}
              >
                Show all services
              </button>
            </p>
          </Empty>
        }
      />
    </>
  )
}

interface HealthFilterProps {
  readonly rows: ListedServices['rows']
  readonly chosen: HealthWord | undefined
}

function HealthFilter({ rows, chosen }: HealthFilterProps) {
  const counts = useMemo(() => {
    const counted: Record<HealthWord, number> = { down: 0, expired: 0, unknown: 0, up: 0 }
    for (const { service } of rows) counted[service.health] += 1
    return counted
  }, [rows])
  const choices = [undefined, ...HEALTHS] as const
  return (
    <fieldset class="segments" aria-label="Health">
      {choices.map((health) => (
        <button
          key={health ?? 'all'}
          type="button"
          class={`segment segment-${health ?? 'all'}`}
          aria-pressed={health === chosen}
          onClick={() => setQuery({ health })}
        >
          {health ?? 'all'}{' '}
          <span class="number">
            {(health === undefined ? rows.length : counts[health]).toLocaleString('en')}
          </span>
        </button>
      ))}
    </fieldset>
  )
}

function Columns() {
  const text = query('columns')
  const shown = new Set(chosenColumns(text).map(({ key }) => key))
  return (
    <Menu label="Columns">
      {columnChoices.map(({ key, title }) => (
        <label key={key} class="check">
          <input
            type="checkbox"
            checked={shown.has(key)}
            disabled={key === 'name'}
            onChange={() => setQuery({ columns: toggledColumns(text, key) })}
          />
          {title}
        </label>
      ))}
    </Menu>
  )
}

function sortingOf(text: string | undefined): Sorting | undefined {
  if (text === undefined) return undefined
  return { key: text.replace(/^-/, ''), descending: text.startsWith('-') }
}
