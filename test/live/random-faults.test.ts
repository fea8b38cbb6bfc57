import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { CommitCall, CommitReply, Store } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import type { Commit, Position } from '../../src/records/record.ts'
import { commitOf, put } from '../conformance/build.ts'
import type { Fault } from '../support/faulty-store.ts'
import { type LiveScope, withLive } from '../support/with-live.ts'

const below = (limit: number) => Math.floor(Math.random() * limit)

/** Commits, and tells of it otherwise. */
function told(change: (reply: CommitReply) => CommitReply | Promise<CommitReply>): Fault {
  return {
    does: 'instead',
    run: async (store: Store, [after, batch, call]) =>
      change(await store.commit(after as Position, batch as Commit[], call as CommitCall)),
  }
}

const faults: readonly (() => Fault)[] = [
  () => ({ does: 'fail', outcome: 'not_written' }),
  () => ({ does: 'fail' }),
  () => ({ does: 'fail', code: 'COORD_COMMIT_REFUSED', outcome: 'not_written' }),
  () => ({ does: 'lose reply' }),
  () => ({ does: 'delay', ms: below(40) }),
  () => told((reply) => sleep(below(30), reply)),
  () =>
    told((reply) =>
      reply.status === 'ok'
        ? { ...reply, entries: reply.entries.slice(0, below(reply.entries.length)), more: true }
        : reply,
    ),
  // With a gap in front: the view has to be built anew.
  () =>
    told((reply) =>
      reply.status === 'ok'
        ? {
            ...reply,
            entries: [
              ...reply.entries.slice(0, 1).map((entry) => ({ ...entry, revision: entry.revision + 7 })),
              ...reply.entries,
            ],
          }
        : reply,
    ),
]

/** Makes calls go wrong until it is told to end. */
async function disturb({ store }: LiveScope, ended: AbortSignal): Promise<void> {
  for (; !ended.aborted; await sleep(below(8))) {
    store.next('commit', (faults[below(faults.length)] as () => Fault)())
    if (below(3) === 0) store.next('load', { does: 'delay', ms: below(250) })
    if (below(3) === 0) store.next('changes', { does: 'fail' })
    if (below(40) === 0) await store.inner.fork((await store.inner.head()).position)
  }
}

/** Commits one after the other, and says what came of each. */
async function write({ live }: LiveScope, id: string, untilMs: number) {
  const answers = []
  for (let n = 0; performance.now() < untilMs; n += 1) {
    const commit = commitOf(put(id, { n }))
    const answer = await live.commit(commit).catch((error: unknown) => error)
    answers.push({ commitId: commit.commitId, answer })
    if (answer instanceof Error) await sleep(below(5))
  }
  return answers
}

describe('whatever goes wrong at random', () => {
  it.each([1, 2, 3, 4, 5, 6])('every answer is true, and the order is kept: run %i', (run) =>
    withLive(
      async (scope) => {
        const { live, store } = scope
        const quiet = new AbortController()
        const disturbed = disturb(scope, quiet.signal)
        const end = performance.now() + 500
        const clients = Array.from({ length: 20 }, (_, client) => write(scope, `client${client}`, end))
        // Half of them meet a stop in the middle of it.
        if (run % 2 === 0) await sleep(350).then(() => live.stop(below(100)))
        const written = await Promise.all(clients)
        quiet.abort()
        await disturbed
        store.heal()
        await live.stop(200)
        for (const [client, answers] of written.entries()) {
          const { entries } = await store.inner.history('service', `client${client}`, { limit: 1_000_000 })
          const stored = new Map(entries.map(({ commitId, revision }) => [commitId, revision]))
          const revisions = []
          for (const { commitId, answer } of answers) {
            if (!(answer instanceof CoordinatorError)) {
              expect(answer).toMatchObject({ outcome: 'accepted', revision: stored.get(commitId) })
              revisions.push(stored.get(commitId) as number)
              continue
            }
            expect(answer.outcome).toMatch(/^(not_written|unknown)$/)
            if (stored.has(commitId)) expect(answer.outcome).toBe('unknown')
          }
          expect(revisions).toEqual(revisions.toSorted((left, right) => left - right))
        }
      },
      { options: { commitTimeoutMs: 100 + below(150), batchMaxCommits: [3, 16, 512][run % 3] as number } },
    ),
  )
})
