import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { retain } from '../../src/live/view/retention.ts'
import { commitOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { FaultyStore } from '../support/faulty-store.ts'

describe('history of which nothing is to be forgotten', () => {
  it('is left alone: the database is not asked to compact what it has compacted', async () => {
    const store = new FaultyStore(new MemoryStore())
    const caller = await Caller.at(store.inner)
    for (let v = 0; v < 10; v += 1) await caller.send(commitOf(put('a', { v })))
    const rules = { keepHours: 0, keepRevisions: 4 }
    expect((await retain(store, { keepHours: 0, keepRevisions: 10 })).floor).toBe(0)
    expect((await retain(store, { keepHours: 24, keepRevisions: 4 })).floor).toBe(0)
    expect(store.callsOf('compact')).toEqual([])
    expect((await retain(store, rules)).floor).toBe(6)
    expect((await retain(store, rules)).floor).toBe(6)
    expect(store.callsOf('compact').map(({ args }) => args)).toEqual([[6]])
  })
})
