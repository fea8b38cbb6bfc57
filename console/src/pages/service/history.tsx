import { useState } from 'preact/hooks'
import { api } from '../../api/client.ts'
import type { Service, ServiceHistory } from '../../api/types.ts'
import { escapedText, shownJson } from '../../drawing/text/shown-text.ts'
import { Actor } from '../../parts/actor.tsx'
import { Panel } from '../../parts/page.tsx'
import { Shown } from '../../parts/states.tsx'
import { Revision, Time } from '../../parts/time.tsx'
import { useAsked } from '../../state/use-answer.ts'
import { pathOf } from './use-service.ts'

type Entry = ServiceHistory['entries'][number]
type Change = NonNullable<Entry['changes']>[number]

const PAGE_SIZE = 20

/** Everything that happened to the service, newest first, with what changed each time. */
export function History({ service: { serviceId } }: { readonly service: Service }) {
  const [pages, setPages] = useState(1)
  const asked = useAsked(`${serviceId} ${pages}`, (signal) => firstPages(serviceId, pages, signal), {
    live: true,
  })
  return (
    <Panel
      title="History"
      aside={
        asked.data !== undefined && (
          <>
            at <Revision of={asked.data.revision} />
          </>
        )
      }
    >
      <Shown asked={asked} what="the history">
        {({ entries, next, complete }) => (
          <>
            <ol class="timeline">
              {entries.map((entry) => (
                <Happened key={entry.revision} entry={entry} />
              ))}
            </ol>
            {next !== undefined && (
              <button type="button" class="button button-small" onClick={() => setPages(pages + 1)}>
                Show older changes
              </button>
            )}
            {next === undefined && !complete && <p class="muted">Older changes are no longer kept.</p>}
          </>
        )}
      </Shown>
    </Panel>
  )
}

async function firstPages(serviceId: string, pages: number, signal: AbortSignal): Promise<ServiceHistory> {
  let all: ServiceHistory | undefined
  for (let page = 0; page < pages && (page === 0 || all?.next !== undefined); page += 1) {
    const query = { limit: PAGE_SIZE, before: all?.next }
    const found = await api.get<ServiceHistory>(`${pathOf(serviceId)}/history`, { query, signal })
    all = { ...found, entries: [...(all?.entries ?? []), ...found.entries] }
  }
  if (all === undefined) throw new Error('At least one page is asked for.')
  return all
}

const marks = { registered: '+', updated: '~', deregistered: '-' } as const

function Happened({ entry }: { readonly entry: Entry }) {
  const { action, at, actor, unproven, revision, changes = [] } = entry
  return (
    <li class={`happened happened-${action}`}>
      <span class="happened-mark" aria-hidden="true">
        {marks[action]}
      </span>
      <p class="happened-head">
        <strong>{action}</strong> by <Actor actor={actor} unproven={unproven} />
      </p>
      <p class="happened-when">
        <Time at={at} exact /> · <Revision of={revision} link />
      </p>
      {changes.length > 0 && <Changes changes={changes} folded={action === 'registered'} />}
    </li>
  )
}

function Changes({ changes, folded }: { readonly changes: readonly Change[]; readonly folded: boolean }) {
  const list = (
    <ul class="differences">
      {changes.map((change) => (
        <Difference key={change.field} change={change} />
      ))}
    </ul>
  )
  if (!folded) return list
  return (
    <details>
      <summary>{changes.length} fields</summary>
      {list}
    </details>
  )
}

function Difference({ change: { field, before, after } }: { readonly change: Change }) {
  return (
    <li>
      <code class="difference-field">{escapedText(field)}</code>
      {before !== undefined && (
        <del>
          <span class="unseen">before: </span>
          {shown(before)}
        </del>
      )}
      {after !== undefined && (
        <ins>
          <span class="unseen">after: </span>
          {shown(after)}
        </ins>
      )}
    </li>
  )
}

function shown(value: unknown): string {
  return typeof value === 'string' ? escapedText(value) : shownJson(value)
}
