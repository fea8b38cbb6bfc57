import { CoordinatorError } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { edgeId, normalEdge, normalNodeId, recordIdOf } from '../../records/graph/graph-id.ts'
import type { Entry, PutWrite, Revision } from '../../records/record.ts'
import { storedObject } from '../../records/stored-json.ts'
import { quoted } from '../../text/quoted.ts'

/** Entries on a page. */
export const HISTORY_LIMIT_MAX = 100

export interface AssertionHistoryQuery {
  /** Only entries below this revision. @default all */
  readonly before?: Revision | undefined
  /** Entries on a page, 1 to 100. @default 100 */
  readonly limit?: number | undefined
}

/** One commit that changed an assertion. */
export interface AssertionEntry {
  readonly revision: Revision
  /** ISO 8601, UTC. */
  readonly at: string
  readonly actor: string
  /** Present if credentials were not demanded yet: the actor is only what the client said. */
  readonly unproven?: true
  readonly commitId: string
  readonly action: 'asserted' | 'changed' | 'retracted'
  /** The assertion after the commit. */
  readonly label?: string
  readonly properties?: JsonObject
}

export interface AssertionHistory {
  readonly id: string
  /** Newest first. */
  readonly entries: readonly AssertionEntry[]
  /** Pass it as `before` for the next page; absent on the last one. */
  readonly next?: Revision
  /** Whether this page contains the first entry. `false` also if older entries are no longer kept. */
  readonly complete: boolean
  /** The revision up to which the page is complete. */
  readonly revision: Revision
}

/**
 * The history of the assertion about a node or an edge: when it changed, by whom, and its content. Asks the store.
 *
 * @throws COORD_NODE_NOT_FOUND, COORD_EDGE_NOT_FOUND if nothing was ever asserted, and what `Live.history` throws
 */
export async function assertionHistory(
  live: Live,
  { kind, id: text }: { readonly kind: 'node' | 'edge'; readonly id: string },
  { before, limit = HISTORY_LIMIT_MAX }: AssertionHistoryQuery = {},
): Promise<AssertionHistory> {
  const id = kind === 'node' ? normalNodeId(text) : edgeIdOf(text)
  if (id === undefined) throw neverAsserted(kind, text)
  const recordId = recordIdOf(id)
  const options = { limit, ...(before === undefined ? {} : { before }) }
  const page = await live.history(kind, recordId, options)
  // A complete page without entries does not say whether there is an assertion. One that is not complete belongs to an assertion from before
  // the history of this store.
  const known =
    page.entries.length > 0 ||
    !page.complete ||
    (before !== undefined && (await live.history(kind, recordId, { limit: 1 })).entries.length > 0)
  if (!known) throw neverAsserted(kind, id, page.position.revision)
  return {
    id,
    entries: page.entries.map((entry, at) =>
      shown(entry, { live, kind, recordId, isNew: page.previous[at] === 0 }),
    ),
    ...(page.next === undefined ? {} : { next: page.next }),
    complete: page.complete,
    revision: page.position.revision,
  }
}

function edgeIdOf(text: string): string | undefined {
  const edge = normalEdge(text)
  return edge === undefined ? undefined : edgeId(edge)
}

interface Shown {
  readonly live: Live
  readonly kind: string
  readonly recordId: string
  /** Whether nothing was asserted before. */
  readonly isNew: boolean
}

function shown(
  { writes, revision, at, actor, commitId }: Entry,
  { live, kind, recordId, isNew }: Shown,
): AssertionEntry {
  const put = writes.find(
    (write): write is PutWrite => write.op === 'put' && write.kind === kind && write.id === recordId,
  )
  const { label, properties } = put === undefined ? {} : (storedObject(put.data) ?? {})
  return {
    revision,
    at: new Date(at).toISOString(),
    actor,
    ...(live.isUnproven(revision) ? { unproven: true } : {}),
    commitId,
    action: put === undefined ? 'retracted' : isNew ? 'asserted' : 'changed',
    // A person or a fault may have changed the record into anything.
    ...(typeof label === 'string' ? { label } : {}),
    ...(isJsonObject(properties) ? { properties } : {}),
  }
}

/** @param at the revision at which there is no such assertion; absent if the id can never have one */
function neverAsserted(kind: 'node' | 'edge', id: string, at?: Revision): CoordinatorError {
  return new CoordinatorError(kind === 'node' ? 'COORD_NODE_NOT_FOUND' : 'COORD_EDGE_NOT_FOUND', {
    detail: `Nothing is known to have been asserted about ${quoted(id)}.`,
    errors: [{ path: 'id', message: 'has no history of its own' }],
    extra: at === undefined ? {} : { revision: at },
  })
}
