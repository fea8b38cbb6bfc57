import { afterAll, beforeAll, describe, expect } from 'vitest'
import { examineStore } from '../../src/database/examine-store.ts'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { commitOf, newCall, put, remove } from '../conformance/build.ts'
import { accepted, Caller, loadAll, recordsAsOf } from '../conformance/caller.ts'
import { Source } from '../conformance/source.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { itUnless } from '../support/it-with.ts'
import { dump, noPgDump, restoreDump } from '../support/pg-dump.ts'
import { PostgresServer } from '../support/postgres.ts'

const test = itUnless(noPgDump)

describe('a dump of a schema that was seeded', () => {
  let server: PostgresServer
  let made = 0

  beforeAll(async () => {
    // The same version as `pg_dump`.
    server = await PostgresServer.start({ version: 15 })
  })
  afterAll(() => server.dispose())

  /** A store with a seed of revision 3, and what followed it; `dumped` drops the schema and brings it back from a dump. */
  async function withSeeded(
    body: (scope: { store: PostgresStore; source: Source; dumped: () => Promise<void> }) => Promise<void>,
  ): Promise<void> {
    const schema = `dumped_${++made}`
    const store = new PostgresStore(storeOptions(server, { schema }))
    const source = await Source.of([
      commitOf(put('a'), put('b')),
      commitOf(put('b', { v: 2 })),
      commitOf(put('c')),
      commitOf(put('a', { v: 2 }), remove('c')),
      commitOf(put('c', { v: 'again' })),
    ])
    try {
      await store.open()
      await body({
        store,
        source,
        dumped: async () => {
          const sql = await dump(server, '-n', schema)
          await server.query(`drop schema ${schema} cascade`)
          await restoreDump(server, sql)
        },
      })
      expect(await store.migrator.verify()).toEqual([])
    } finally {
      await store.close()
    }
  }

  test('has every moment that the schema had, and goes on as a new lineage', () =>
    withSeeded(async ({ store, source, dumped }) => {
      await source.moveInto(store, 3)
      await dumped()
      await source.expectIn(store, 3)
      const { position, mode } = await store.mendHead()
      expect({ mode, revision: position.revision }).toEqual({ mode: 'open', revision: 5 })
      accepted(await (await Caller.at(store)).write(put('b', { v: 3 })))
      expect((await recordsAsOf(store, { revision: 3 })).records).toEqual(await source.recordsAt(3))
      expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
    }))

  test('stays frozen until somebody says that it is a history of its own', () =>
    withSeeded(async ({ store, source, dumped }) => {
      await source.moveInto(store, 3)
      await store.setMode('open', 'frozen')
      await dumped()
      const { position } = source.caller
      await expect(store.commit(position, [], newCall())).rejects.toMatchObject({
        code: 'COORD_STORE_FROZEN',
      })
      expect(await store.mendHead()).toMatchObject({ mode: 'open', ancestors: [position.lineage] })
      accepted(await (await Caller.at(store)).write(put('d')))
    }))

  test('made while the schema was seeded serves nothing, and can be seeded to its end', () =>
    withSeeded(async ({ store, source, dumped }) => {
      await store.setMode('open', 'seeding')
      await store.seed(await source.pointAt(3), (await source.recordsAt(3)).slice(1))
      await dumped()
      expect(await store.mendHead()).toMatchObject({ mode: 'seeding' })
      await expect(loadAll(store)).rejects.toMatchObject({ code: 'COORD_STORE_FROZEN' })
      await source.moveInto(store, 3)
      await source.expectIn(store, 3)
    }))
})
