import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer } from '../support/postgres.ts'

it('a stricter default isolation never makes calls of one writer, or ids of what changed nothing, fail by serialization', async () => {
  await using server = await PostgresServer.start()
  await server.query(`create role strict login superuser;
    alter role strict set default_transaction_isolation = 'repeatable read'`)
  const stores = Array.from({ length: 4 }, () => new PostgresStore(storeOptions(server, { role: 'strict' })))
  const [first] = stores as [PostgresStore]
  await first.open()
  const caller = await Caller.at(first)
  await caller.write(put('a'))
  const writer = randomUUID()
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const call = index % 2 === 0 ? { writer, attempt: index + 1 } : newCall()
      const commit = { ...commitOf(put('a')), fingerprint: `${index}` }
      const store = stores[index % 4] as PostgresStore
      try {
        return (await store.commit(caller.position, [commit], call)).status
      } catch (thrown) {
        return thrown instanceof CoordinatorError ? `${thrown.code} ${thrown.sourceCode ?? ''}` : thrown
      }
    }),
  )
  expect(outcomes).toContain('ok')
  expect(new Set(outcomes).difference(new Set(['ok', 'superseded', 'COORD_STORE_BUSY ']))).toEqual(new Set())
  const ok = outcomes.filter((outcome) => outcome === 'ok').length
  const [row] = await server.query('select count(*)::integer as rows from coordinator.unchanged')
  expect(row).toEqual({ rows: ok })
  await Promise.all(stores.map((store) => store.close()))
})
