import { describe, expect, it } from 'vitest'
import { Live } from '../../src/live/live.ts'
import { commitOf, idsOf, put, remove, tokenOf } from '../conformance/build.ts'
import { byKey, Caller, loadAll, offTrack } from '../conformance/caller.ts'
import { backends } from '../support/backends/index.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import { plainDomain, servedIds, until } from '../support/with-live.ts'

describe.each(backends.map((backend) => [backend.name, backend] as const))('live on %s', (_, backend) => {
  it('L12: stores what many send at once, serves what the store has, and finds it again', {
    timeout: 60_000,
  }, async () => {
    const subject = await backend.create({ pageSize: 50, firstRevision: 0 })
    try {
      const live = new Live(subject.store, plainDomain)
      await live.start()
      expect(live.status.state).toBe(backend.durable ? 'ready' : 'memory')
      const ids = idsOf('r', 300)
      await Promise.all(ids.map((id) => live.commit(commitOf(put(id)))))
      await Promise.all(ids.map((id, n) => live.commit(commitOf(n % 3 === 0 ? remove(id) : put(id, { n })))))
      expect(live.view.revision).toBe(600)
      const { records } = await loadAll(subject.store)
      expect([...live.view.records.of('service')].sort(byKey)).toEqual(records)
      expect(live.view.deletedAt('service', 'r000')).toBe(301)
      const { position } = live.view
      await live.stop()

      const again = new Live(await subject.reopen(), plainDomain)
      await again.start()
      if (backend.durable) {
        expect(again.view.position).toEqual(position)
        expect([...again.view.records.of('service')].sort(byKey)).toEqual(records)
        expect(again.view.deletedAt('service', 'r000')).toBe(301)
      } else expect(again.view.revision).toBe(0)
      await again.stop()
    } finally {
      await subject.dispose()
    }
  })

  it('L16: follows a history that lost its tail into its new lineage', { timeout: 60_000 }, async () => {
    const subject = await backend.create({ pageSize: 50, firstRevision: 0 })
    try {
      const live = new Live(subject.store, plainDomain)
      await live.start()
      for (const id of ['a', 'b', 'c']) await live.commit(commitOf(put(id)))
      const known = live.view.position
      // A coordinator that knows the whole history meets the database that does not, where another one has just begun.
      const store = await subject.loseTail(1)
      await live.stop()
      const after = new Live(store, plainDomain)
      await after.start()
      // However long that takes: the machine may be busy with other tests.
      const replaced = new Promise<void>((resolve) => {
        after.observe({ replaced: ({ lineage }) => lineage !== known.lineage && resolve() })
      })
      const { head } = offTrack(await store.changes(known, 10), 'ahead')
      const forked = await store.fork(head.position)
      await replaced
      expect(after.view.position).toEqual(forked.position)
      expect(await after.commit(commitOf(put('d')))).toMatchObject({ revision: 3 })
      expect(servedIds(after.view).sort()).toEqual(['a', 'b', 'd'])
      await after.stop()
    } finally {
      await subject.dispose()
    }
  })

  it('L29: follows no other database that takes the place of its own, until that one adopts its lineage', {
    timeout: 60_000,
  }, async () => {
    const options = { pageSize: 50, firstRevision: 0 }
    const [own, other] = [await backend.create(options), await backend.create(options)]
    const connection = new FaultyStore(own.store)
    const live = new Live(connection, plainDomain)
    try {
      await live.start()
      await live.commit(commitOf(put('a')))
      const { lineage } = live.view
      await other.store.open()
      await (await Caller.at(other.store)).write(put('x'))
      connection.inner = other.store
      await until(() => live.status.code === 'COORD_STORE_REPLACED')
      await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject({
        code: 'COORD_STORE_REPLACED',
        outcome: 'not_written',
      })
      expect(servedIds(live.view)).toEqual(['a'])
      const { position } = await other.store.adopt(lineage)
      await until(() => live.view.lineage === position.lineage)
      expect(servedIds(live.view)).toEqual(['x'])
      expect(await live.commit(commitOf(put('b')))).toMatchObject({ revision: 2 })
    } finally {
      await live.stop()
      for (const subject of [own, other]) await subject.dispose()
    }
  })

  it('tells of a token that was revoked, at the latest when it asks the next time', {
    timeout: 60_000,
  }, async () => {
    const subject = await backend.create({ pageSize: 50, firstRevision: 0 })
    try {
      const live = new Live(subject.store, plainDomain)
      const told: string[] = []
      let heard = Promise.withResolvers<void>()
      live.observe({
        access: (version) => {
          told.push(version)
          heard.resolve()
        },
      })
      await live.start()
      // Where one process owns the data, its own change is noticed in the same way.
      const other = backend.secondStore === 'shared' ? await subject.beside() : subject.store
      await other.open()
      const changes = [
        () => other.access.put(tokenOf('ci')),
        () => other.access.revoke(tokenOf('ci').id, 'token:admin'),
      ]
      for (const change of changes) {
        heard = Promise.withResolvers()
        await change()
        await heard.promise
        expect(told.at(-1)).toBe((await other.head()).accessVersion)
      }
      expect(told).toHaveLength(3)
      await live.stop()
    } finally {
      await subject.dispose()
    }
  })
})
