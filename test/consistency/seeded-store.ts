import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommitReply, CommitResult, Head, HistoryPage, Store } from '../../src/database/store.ts'
import type { Commit, Position } from '../../src/records/record.ts'

type CommitArguments = Parameters<Store['commit']>

/** Every so many calls of a method meet the fault. */
const EVERY = 6

/** The store with some methods of others. */
function altered(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(methods, name) ?? Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** Every so many commits are stored without what they expect. */
export function dropsExpectations(store: Store): Store {
  let calls = 0
  return altered(store, {
    commit: (...[after, batch, ...rest]) => {
      calls += 1
      const heedless = batch.map((commit) => ({
        ...commit,
        writes: commit.writes.map(({ expect: _, ...write }) => write),
      }))
      return store.commit(...([after, calls % EVERY === 0 ? heedless : batch, ...rest] as CommitArguments))
    },
  })
}

/** Every so many commits are told as accepted, and stored nowhere. */
export function losesWrites(store: Store): Store {
  let calls = 0
  return altered(store, {
    commit: async (...all) => {
      const [after, batch] = all
      calls += 1
      const reply = calls % EVERY === 0 && batch.length > 0 ? await store.changes(after, 1_000) : undefined
      if (reply?.status !== 'ok') return store.commit(...all)
      const { position, at } = await store.head()
      if (position.revision === 0 || reply.more) return store.commit(...all)
      const { revision, digest } = position
      const results = batch.map(
        ({ writes }): CommitResult => ({
          outcome: 'accepted',
          revision,
          at,
          digest,
          previous: writes.map(() => 0),
          replayed: false,
        }),
      )
      return { status: 'ok', results, entries: reply.entries, more: false }
    },
  })
}

/** What was refused is judged again some time later, when its caller knows that it was refused. */
export function appliesLate(store: Store): Store {
  return altered(store, {
    commit: async (...all) => {
      const [after, batch, ...rest] = all
      const reply = await store.commit(...all)
      if (reply.status === 'ok') applyLater(store, { after, refused: refusedOf(batch, reply), rest })
      return reply
    },
  })
}

function refusedOf(
  batch: readonly Commit[],
  reply: Extract<CommitReply, { status: 'ok' }>,
): readonly Commit[] {
  return batch.filter((_, index) => reply.results[index]?.outcome === 'conflict')
}

function applyLater(
  store: Store,
  late: { readonly after: Position; readonly refused: readonly Commit[]; readonly rest: readonly unknown[] },
): void {
  if (late.refused.length === 0) return
  // A call of which nobody knows: where a store counts the calls of its writers, one of another writer.
  const call = late.rest.length === 0 ? [] : [{ writer: randomUUID(), attempt: 1 }]
  void sleep(20).then(() =>
    store
      .commit(...([late.after, late.refused, ...call] as unknown as CommitArguments))
      .catch(() => undefined),
  )
}

/** Every so many commits are told with the revision before theirs: as if they had been stored then, and were repeated now. */
export function answersWrongRevisions(store: Store): Store {
  let calls = 0
  return altered(store, {
    commit: async (...all) => {
      const [, batch] = all
      calls += 1
      const reply = await store.commit(...all)
      if (reply.status !== 'ok' || calls % EVERY !== 0) return reply
      const results = reply.results.map((result, index): CommitResult => {
        const { writes } = batch[index] as Commit
        return result.outcome === 'accepted' && result.revision > 1
          ? { ...result, revision: result.revision - 1, replayed: true, writes }
          : result
      })
      return { ...reply, results }
    },
  })
}

/** A history is told with the head of a moment later. */
export function mistakesMoments(store: Store): Store {
  return altered(store, {
    history: async (...question): Promise<HistoryPage> => {
      const page = await store.history(...question)
      await sleep(3)
      return { ...page, position: (await store.head()).position }
    },
  })
}

/** The head is told as it was up to a fifth of a second ago. */
export function answersOldHeads(store: Store): Store {
  let known: { readonly head: Head; readonly until: number } | undefined
  return altered(store, {
    head: async () => {
      const now = performance.now()
      if (known === undefined || known.until < now) known = { head: await store.head(), until: now + 200 }
      return known.head
    },
  })
}

/** What is repeated is told as new, with what is there now. */
export function forgetsFirstResults(store: Store): Store {
  return altered(store, {
    commit: async (...all) => {
      const reply = await store.commit(...all)
      if (reply.status !== 'ok') return reply
      const results = reply.results.map(
        (result): CommitResult =>
          result.outcome === 'accepted' && result.replayed
            ? { ...result, previous: result.previous.map((revision) => (revision === 0 ? 1 : 0)) }
            : result,
      )
      return { ...reply, results }
    },
  })
}
