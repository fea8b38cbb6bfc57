import { describe, expect, it } from 'vitest'
import type { Live } from '../../src/live/live.ts'
import { workingFor } from '../../src/scheduling/client-question.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { until, withLive } from '../support/with-live.ts'

/** Commits for a client. @returns what became of each: its revision, or the code of its error */
function commitAll(live: Live, client: string, count: number): Promise<(number | string)[]> {
  const commits = idsOf(`${client}-`, count).map((id) =>
    workingFor(client, () => live.commit(commitOf(put(id)))).then(
      (outcome) => ('revision' in outcome ? (outcome.revision as number) : outcome.outcome),
      (thrown: { readonly code: string }) => thrown.code,
    ),
  )
  return Promise.all(commits)
}

describe('commits of several clients', () => {
  it('wait in half of the queue for one client, and take turns on their way to the store', () =>
    withLive(
      async ({ live, store }) => {
        const { promise: busy, resolve: free } = Promise.withResolvers<void>()
        store.next('commit', { does: 'wait', for: busy })
        const first = live.commit(commitOf(put('first')))
        await until(() => store.calls.some(({ method }) => method === 'commit'))
        const flood = commitAll(live, 'a', 30)
        const few = commitAll(live, 'b', 5)
        const program = live.commit(commitOf(put('program')))
        expect(live.figures.queueDepth).toBe(27)
        free()
        await first
        const refused = Array<string>(10).fill('COORD_COMMIT_QUEUE_FULL')
        expect((await flood).slice(20)).toEqual(refused)
        // The first batch of 10 takes from each in turn: 4 of `b`, 5 of `a`, the one of the program.
        const revisions = (await few) as number[]
        expect(revisions.filter((revision) => revision <= 11).length).toBeGreaterThanOrEqual(4)
        expect(Math.max(...revisions)).toBeLessThanOrEqual(14)
        expect(await program).toMatchObject({ revision: expect.toSatisfy((revision) => revision <= 11) })
        expect(Math.max(...((await flood).slice(0, 20) as number[]))).toBe(27)
        expect(await commitAll(live, 'a', 1)).toEqual([28])
      },
      { options: { queueMax: 40, batchMaxCommits: 10 } },
    ))
})
