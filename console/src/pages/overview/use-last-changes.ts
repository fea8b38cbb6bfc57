import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../../api/api-error.ts'
import { api } from '../../api/client.ts'
import { follow } from '../../api/events.ts'
import type { ChangesPage, JournalEntry, ServiceAnswer, ServiceList } from '../../api/types.ts'
import { histories } from '../../state/freshness.ts'
import { asOf, namespace } from '../../state/location.ts'
import { type Asked, useAsked } from '../../state/use-answer.ts'

/** How many commits the overview shows. */
const SHOWN = 15
/** Under a storm of changes the page is rendered again at most this often, in milliseconds. */
const RENDER_MS = 250
/** Names of removed services are looked up for this many of them. */
const NAMED_REMOVALS = 5

/** A commit, and the names of the services that it removed: the journal only has their ids. */
export interface ShownCommit {
  readonly entry: JournalEntry
  readonly removed: ReadonlyMap<string, string>
}

/** The newest commits, newest first, and those that come while the page is open. */
export function useLastChanges(): Asked<readonly ShownCommit[]> {
  const where = { asOf: asOf.value, namespace: namespace.value }
  const history = histories.value
  const key = JSON.stringify({ ...where, history })
  const asked = useAsked(key, (signal) => lastChanges(where, signal))
  const [live, setLive] = useState<readonly ShownCommit[]>([])
  const isPresent = where.asOf === undefined
  useEffect(() => {
    setLive([])
    if (!isPresent) return undefined
    return followInTurns(where.namespace, (commits) => setLive((before) => merged(commits, before)))
  }, [isPresent, where.namespace, history])
  return { ...asked, data: asked.data === undefined ? undefined : merged(live, asked.data) }
}

/** Each commit once, newest first. */
function merged(newer: readonly ShownCommit[], older: readonly ShownCommit[]): readonly ShownCommit[] {
  const byRevision = new Map([...older, ...newer].map((commit) => [commit.entry.revision, commit]))
  return [...byRevision.values()]
    .sort((left, right) => right.entry.revision - left.entry.revision)
    .slice(0, SHOWN)
}

function followInTurns(
  wanted: string | undefined,
  show: (commits: readonly ShownCommit[]) => void,
): () => void {
  const ended = new AbortController()
  let waiting: JournalEntry[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = follow((entry) => {
    if (!isIn(entry, wanted)) return
    waiting.push(entry)
    timer ??= setTimeout(() => {
      timer = undefined
      const entries = waiting.slice(-SHOWN)
      waiting = []
      void withNames(entries, ended.signal).then((commits) => {
        if (!ended.signal.aborted) show(commits)
      })
    }, RENDER_MS)
  })
  return () => {
    stop()
    clearTimeout(timer)
    ended.abort()
  }
}

/** Removals have no namespace, and count for all. */
function isIn({ writes }: JournalEntry, wanted: string | undefined): boolean {
  if (wanted === undefined) return true
  return writes.some(({ op, data }) => op === 'delete' || (data?.['namespace'] ?? 'default') === wanted)
}

interface Where {
  readonly asOf: string | undefined
  readonly namespace: string | undefined
}

async function lastChanges(
  { asOf: moment, namespace: wanted }: Where,
  signal: AbortSignal,
): Promise<readonly ShownCommit[]> {
  const shown = await api.get<ServiceList>('/services', {
    query: { limit: 1, fields: 'serviceId', asOf: moment },
    signal,
  })
  const query = { after: Math.max(0, shown.revision - SHOWN), limit: SHOWN, namespace: wanted }
  const entries = await api
    .get<ChangesPage>('/changes', { query, signal })
    .then((page) => page.entries.filter(({ revision }) => revision <= shown.revision))
    .catch((thrown: unknown) => {
      // Older commits are no longer kept: what follows from now on is shown all the same.
      if (thrown instanceof ApiError && thrown.code === 'COORD_REVISION_COMPACTED') return []
      throw thrown
    })
  return merged(await withNames(entries, signal), [])
}

async function withNames(
  entries: readonly JournalEntry[],
  signal: AbortSignal,
): Promise<readonly ShownCommit[]> {
  let left = NAMED_REMOVALS
  return Promise.all(
    entries.toReversed().map(async (entry) => {
      const removals = entry.writes
        .filter(({ op, kind }) => op === 'delete' && kind === 'service')
        .slice(0, left)
      left -= removals.length
      const names = await Promise.all(removals.map(({ id }) => nameBefore(id, entry.revision, signal)))
      const removed = new Map(
        removals.flatMap(({ id }, at) => (names[at] === undefined ? [] : [[id, names[at]]])),
      )
      return { entry, removed }
    }),
  )
}

/** The name of a service just before it was removed; `undefined` if that is no longer known. */
async function nameBefore(id: string, revision: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    const query = { asOf: revision - 1 }
    const { service } = await api.get<ServiceAnswer>(`/services/${encodeURIComponent(id)}`, { query, signal })
    return service.serviceName
  } catch (thrown) {
    // The list shows the id instead of the name.
    if (thrown instanceof ApiError || signal.aborted) return undefined
    throw thrown
  }
}
