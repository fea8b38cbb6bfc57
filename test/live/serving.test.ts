import { describe, expect, it } from 'vitest'
import type { Domain, Projection, ProjectionDefinition } from '../../src/live/view/projection.ts'
import { View } from '../../src/live/view/view.ts'
import type { JsonObject } from '../../src/records/canonical-json.ts'
import type { EntryWrite, Revision, StoredRecord } from '../../src/records/record.ts'
import { commitOf, put, putText, remove } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { plainDomain, servedIds, until, withLive } from '../support/with-live.ts'

/** Keeps what it hears, as text. */
class Hearing implements Projection {
  readonly events: string[] = []
  readonly values = new Map<string, unknown>()
  readonly #records: StoredRecord[] = []

  put(slot: number, record: StoredRecord, data: JsonObject): void {
    const { id, revision } = record
    this.events.push(`put ${id} ${revision}`)
    this.values.set(id, data['v'])
    this.#records[slot] = record
  }

  remove(slot: number): void {
    const { id, revision } = this.#records[slot] as StoredRecord
    this.events.push(`remove ${id} ${revision}`)
    this.values.delete(id)
  }

  settled(revision: Revision): void {
    this.events.push(`settled ${revision}`)
  }
}

const hearing: ProjectionDefinition<Hearing> = {
  name: 'hearing',
  kinds: ['service'],
  create: () => new Hearing(),
}

const strict: Domain = {
  kinds: {
    service: (data) => (typeof (data as JsonObject)['v'] === 'number' ? undefined : 'v is no number'),
  },
  projections: [hearing],
}

describe('records that break the rules of their kind', () => {
  it('L21: are counted and listed, not served, and do not stop the follower', () =>
    withLive(
      async ({ live, store }) => {
        const hand = await Caller.at(store.inner)
        await hand.send(
          commitOf(put('good')),
          commitOf(put('bad', { v: 'text' })),
          commitOf(put('other', { v: 'text' }, { kind: 'node' })),
          commitOf(put('after')),
        )
        await until(() => live.view.revision === 4)
        expect(servedIds(live.view)).toEqual(['good', 'after'])
        expect(live.view.get('node', 'other')?.revision).toBe(3)
        expect(live.view.refused).toEqual([
          {
            kind: 'service',
            id: 'bad',
            revision: 2,
            createdAt: expect.any(Number),
            reason: 'v is no number',
          },
        ])
        expect(live.figures.refusedRecords).toBe(1)
        expect(live.view.get('service', 'bad')).toBeUndefined()
        expect(live.view.deletedAt('service', 'bad')).toBeUndefined()
      },
      { domain: strict },
    ))

  it('L21: are served again as soon as they are mended, with the time they were created', () =>
    withLive(
      async ({ live, store }) => {
        const hand = await Caller.at(store.inner)
        await hand.send(commitOf(put('a')), commitOf(put('a', { v: null })))
        await until(() => live.view.refusedCount === 1)
        expect(live.view.get('service', 'a')).toBeUndefined()
        await live.commit(commitOf(put('a', { v: 3 })))
        const [stored] = (await Array.fromAsync(store.inner.load())).flatMap(({ records }) => records)
        expect(live.view.get('service', 'a')).toEqual(stored)
        expect(live.view.refusedCount).toBe(0)
        expect(live.view.projection(hearing).events).toEqual([
          'put a 1',
          'settled 1',
          'remove a 1',
          'settled 2',
          'put a 3',
          'settled 3',
        ])
      },
      { domain: strict },
    ))

  it('L21: leave the list when they are deleted', () =>
    withLive(
      async ({ live }) => {
        await live.commit(commitOf(put('a', { v: 'text' })))
        expect(live.view.refusedCount).toBe(1)
        await live.commit(commitOf(remove('a')))
        expect(live.view.refused).toEqual([])
        expect(live.view.deletedAt('service', 'a')).toBe(2)
      },
      { domain: strict },
    ))

  it('L21: are found in a load too', () =>
    withLive(
      async ({ live, another }) => {
        await live.commit(commitOf(put('bad', {})))
        await live.commit(commitOf(put('good')))
        const { live: later } = await another()
        expect(later.view.refused.map(({ id, revision }) => [id, revision])).toEqual([['bad', 1]])
        expect(servedIds(later.view)).toEqual(['good'])
      },
      { domain: strict },
    ))

  it('L21: are not served either where the database holds what is no JSON', () =>
    withLive(async ({ live }) => {
      await live.commit(commitOf(putText('broken', '{"v":')))
      expect(live.view.refused).toMatchObject([{ id: 'broken', reason: 'The data is not JSON.' }])
      expect(await live.commit(commitOf(put('good')))).toMatchObject({ revision: 2 })
    }))
})

describe('projections', () => {
  it('L22: hear every change of their kinds once, in order, and when a commit is in', () =>
    withLive(
      async ({ live }) => {
        await live.commit(commitOf(put('a'), put('b'), put('n', {}, { kind: 'node' })))
        await live.commit(commitOf(remove('a'), put('b', { v: 2 })))
        await live.commit(commitOf(put('n', { v: 9 }, { kind: 'node' })))
        const { events, values } = live.view.projection(hearing)
        expect(events).toEqual([
          'put a 1',
          'put b 1',
          'settled 1',
          'remove a 1',
          'put b 2',
          'settled 2',
          'settled 3',
        ])
        expect([...values]).toEqual([['b', 2]])
      },
      { domain: strict },
    ))

  it('L22: begin anew with a view that is built anew', () =>
    withLive(
      async ({ live, store }) => {
        await live.commit(commitOf(put('a')))
        const before = live.view.projection(hearing)
        await store.inner.fork(live.view.position)
        await until(() => live.view.projection(hearing) !== before)
        expect(live.view.projection(hearing).events).toEqual(['put a 1'])
      },
      { domain: strict },
    ))
})

describe('a view', () => {
  const lineage = '00000000-0000-4000-8000-000000000000'
  const start = { lineage, revision: 0, digest: lineage }
  const entry = (revision: number, ...ids: string[]) => ({
    revision,
    commitId: `00000000-0000-4000-8000-${String(revision).padStart(12, '0')}`,
    at: revision * 10,
    actor: 'test',
    writes: ids.map((id) => put(id, { revision })),
    digest: `digest ${revision}`,
  })

  it('L22: takes entries in order, ignores those it has, and says which were new', () => {
    const view = new View(plainDomain, start, 0)
    expect(view.apply([entry(1, 'a'), entry(2, 'b')])).toHaveLength(2)
    expect(view.apply([entry(1, 'a'), entry(2, 'b')])).toEqual([])
    expect(view.apply([entry(2, 'b'), entry(3, 'c')]).map(({ revision }) => revision)).toEqual([3])
    expect(view.apply([])).toEqual([])
    expect(view.position).toEqual({ lineage, revision: 3, digest: 'digest 3' })
    expect(view.at).toBe(30)
    expect(view.get('service', 'a')?.revision).toBe(1)
  })

  it('L22: takes nothing where there is a gap', () => {
    const view = new View(plainDomain, start, 0)
    expect(() => view.apply([entry(1, 'a'), entry(3, 'c')])).toThrow(/from revision 1 to 3/)
    expect(view.revision).toBe(0)
    expect([...view.records.of('service')]).toEqual([])
  })

  it('L22: serves kinds of any name unchecked, where the domain does not know them', () => {
    const view = new View(plainDomain, start, 0)
    const kinds = ['constructor', 'toString', '__defineGetter__', '__proto__', 'hasOwnProperty']
    for (const [at, kind] of kinds.entries())
      view.apply([{ ...entry(at + 1), writes: [{ ...put('a'), kind }] as readonly EntryWrite[] }])
    expect(view.refused).toEqual([])
    expect(kinds.map((kind) => view.get(kind, 'a')?.revision)).toEqual([1, 2, 3, 4, 5])
  })

  it('L22: remembers the digests of its newest revisions', () => {
    const view = new View(plainDomain, start, 0)
    for (let revision = 1; revision <= 5_000; revision += 1) view.apply([entry(revision, 'a')])
    expect(view.digestAt(5_000)).toBe('digest 5000')
    expect(view.digestAt(4_999)).toBe('digest 4999')
    expect(view.digestAt(905)).toBe('digest 905')
    expect(view.digestAt(904)).toBeUndefined()
    expect(view.digestAt(5_001)).toBeUndefined()
  })

  it('L22: keeps createdAt while a record lives, and begins anew after a delete', () => {
    const view = new View(plainDomain, start, 0)
    view.apply([entry(1, 'a'), entry(2, 'a')])
    expect(view.get('service', 'a')).toMatchObject({ createdAt: 10, updatedAt: 20 })
    view.apply([{ ...entry(3), writes: [{ op: 'delete', kind: 'service', id: 'a' }] }, entry(4, 'a')])
    expect(view.get('service', 'a')).toMatchObject({ createdAt: 40, updatedAt: 40 })
    expect(view.deletedAt('service', 'a')).toBeUndefined()
  })

  it('L22: forgets deletions up to the floor', () => {
    const view = new View(plainDomain, start, 0)
    view.apply([entry(1, 'a', 'b')])
    for (const [revision, id] of [
      [2, 'a'],
      [3, 'b'],
    ] as const)
      view.apply([{ ...entry(revision), writes: [{ op: 'delete', kind: 'service', id }] }])
    view.forgetDeletionsUpTo(2)
    expect(view.deletedAt('service', 'a')).toBeUndefined()
    expect(view.deletedAt('service', 'b')).toBe(3)
  })
})
