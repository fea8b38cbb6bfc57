import { describe, expect, it } from 'vitest'
import { readPartOfArchive } from '../../../src/archive/restore/part-of-archive.ts'
import { comparePart, putBack } from '../../../src/archive/restore/put-back.ts'
import { readSelection, type Selection } from '../../../src/archive/restore/selection.ts'
import { NOW, type Store } from '../../../src/database/store.ts'
import { put, remove } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { archiveOfHistory, patience } from './archive-of-history.ts'
import { planned } from './planned.ts'
import { recordsAt } from './written-archive.ts'

type Archive = Awaited<ReturnType<typeof archiveOfHistory>>

async function partAt({ destination }: Archive, revision: number, ...texts: string[]) {
  const plan = await planned(destination, { revision })
  return readPartOfArchive(readSelection(texts) as Selection, plan, { destination, patience })
}

async function now(store: Store, id: string) {
  for await (const page of store.asOf(NOW, { kind: 'service', id })) return page.records[0]
  return undefined
}

describe('a part of an archive', () => {
  it('has the records of the moment, and no others', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    for (const revision of [0, 7, 20, 33, 48]) {
      const { records } = await partAt(archive, revision, 'service:s1', 'service:s4', 'service:s8')
      const expected = (await recordsAt(archive.store, revision)).filter(({ id }) =>
        ['s1', 's4', 's8'].includes(id),
      )
      const short = ({ kind, id, data, revision: own }: (typeof expected)[number]) => ({
        kind,
        id,
        data,
        revision: own,
      })
      expect(records.map(({ kind, id, data, revision: own }) => ({ kind, id, data, revision: own }))).toEqual(
        expect.arrayContaining(expected.map(short)),
      )
      expect(records).toHaveLength(expected.length)
    }
  })

  it('leaves out a record that had the name before, and has another one at the moment', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const caller = await Caller.at(archive.store)
    await caller.write(put('x', { serviceName: 'old' }))
    await caller.write(put('x', { serviceName: 'new' }))
    await archive.write({ bases: [] })
    expect((await partAt(archive, 49, 'service:old')).records).toHaveLength(1)
    expect((await partAt(archive, 50, 'service:old')).records).toEqual([])
    expect((await partAt(archive, 50, 'service:new')).records).toHaveLength(1)
  })
})

describe('putting a part back', () => {
  it('creates what is gone, replaces what differs, and leaves what is the same and what is not named', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const { store } = archive
    const caller = await Caller.at(store)
    const before = await recordsAt(store, 48)
    await caller.write(remove('s6'), put('s2', { v: 'wrong' }), put('s4', { v: 'other' }), put('new'))
    const { records } = await partAt(archive, 48, 'service:s6', 'service:s2', 'service:s3')
    const compared = await comparePart(store, records)
    expect((await store.head()).position.revision).toBe(49)
    const done = await putBack({ store, records, actor: 'cli:me restore', patience })
    expect(done).toEqual(compared)
    const kinds = Object.fromEntries(done.map(({ record, change }) => [record.id, change]))
    expect(kinds).toEqual({ s6: 'create', s2: 'replace', s3: 'same' })
    for (const id of ['s6', 's2', 's3'])
      expect((await now(store, id))?.data).toBe(before.find((record) => record.id === id)?.data)
    expect((await now(store, 's4'))?.data).toBe('{"v":"other"}')
    expect(await now(store, 'new')).toBeDefined()
    const { entries } = await store.history('service', 's6', { limit: 1 })
    expect(entries[0]).toMatchObject({ actor: 'cli:me restore', revision: 50 })
    expect(entries[0]?.writes).toHaveLength(2)
    // A second time, there is nothing left to do.
    await putBack({ store, records, actor: 'cli:me restore', patience })
    expect((await store.head()).position.revision).toBe(50)
  })

  it('compares again when somebody else changes a record meanwhile', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const { store } = archive
    const caller = await Caller.at(store)
    const { records } = await partAt(archive, 48, 'service:s3')
    await caller.write(put('s3', { v: 'wrong' }))
    let meanwhile = 2
    const contended: Store = new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        if (name !== 'commit') return member.bind(target)
        return async (...parameters: Parameters<Store['commit']>) => {
          if (meanwhile > 0) {
            meanwhile -= 1
            await (await Caller.at(store)).write(put('s3', { v: `meanwhile ${meanwhile}` }))
          }
          const { position } = await store.head()
          return store.commit(position, parameters[1], parameters[2])
        }
      },
    })
    await putBack({ store: contended, records, actor: 'cli:me', patience })
    // Each of the two changes was seen, and not overwritten blindly.
    expect(meanwhile).toBe(0)
    expect((await now(store, 's3'))?.data).toBe(records[0]?.data)
    const { entries } = await store.history('service', 's3', { limit: 4 })
    expect(entries.map(({ actor }) => actor)).toEqual(['cli:me', 'test', 'test', 'test'])
  })
})
