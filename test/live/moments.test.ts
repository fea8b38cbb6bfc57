import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { commitOf, put } from '../conformance/build.ts'
import { type LiveScope, withLive } from '../support/with-live.ts'

describe('digests of the newest revisions', () => {
  it('are known of those that were applied, and of no other that has their place', () =>
    withLive(async ({ live }) => {
      const positions = []
      for (const id of ['a', 'b', 'c']) {
        await live.commit(commitOf(put(id)))
        positions.push(live.view.position)
      }
      for (const { revision, digest } of positions) expect(live.view.digestAt(revision)).toBe(digest)
      for (const revision of [4, 4_097, 4_098, 4_099]) expect(live.view.digestAt(revision)).toBeUndefined()
    }))
})

describe('times that are still to come', () => {
  const records = async ({ live }: LiveScope, at: number) => {
    const found: string[] = []
    for await (const page of live.asOf({ at })) found.push(...page.records.map(({ id }) => id))
    return found
  }

  it('count as now within a minute, since clocks differ, and are refused beyond it', () =>
    withLive(async (scope) => {
      await scope.live.commit(commitOf(put('a')))
      expect(await records(scope, Date.now() + 30_000)).toEqual(['a'])
      await expect(records(scope, Date.now() + 120_000)).rejects.toMatchObject({
        code: 'COORD_REVISION_FUTURE',
        extra: { head: 1 },
      })
    }))

  it('are no refusal where the clock of the database is ahead of this one', async () => {
    const ahead = Date.now() + 3_600_000
    const inner: Store = new MemoryStore({ now: () => ahead })
    await withLive(
      async (scope) => {
        await scope.live.commit(commitOf(put('a')))
        expect(await records(scope, ahead)).toEqual(['a'])
        await expect(records(scope, ahead + 120_000)).rejects.toMatchObject({ code: 'COORD_REVISION_FUTURE' })
      },
      { inner },
    )
  })
})
