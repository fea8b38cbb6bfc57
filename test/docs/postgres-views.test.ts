import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PostgresStore } from '../../src/database/postgres/store.ts'
import { commitOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { storeOptions } from '../support/backends/postgres.ts'
import { PostgresServer, type PostgresVersion } from '../support/postgres.ts'

const section = readFileSync('docs/postgres.md', 'utf8').split('## What is in the schema')[1] ?? ''
const [queries = ''] = [...section.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql]) => sql)
const [running = '', needing = '', missing = ''] = queries.split(/^--.*\n/m).filter((query) => query !== '')

const services = [
  { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart', dependencies: [] },
  {
    ...{ serviceName: 'checkout', version: '2.0.0', endpoint: 'http://checkout-1' },
    dependencies: ['payment', { serviceName: 'cart', version: '^1', type: 'http' }],
  },
  {
    ...{ serviceName: 'checkout', version: '2.0.0', endpoint: 'http://checkout-2' },
    dependencies: [{ serviceName: 'cart', version: '^1', type: 'http' }],
    migrationFile: {
      dependencies: ['cart', { serviceName: 'cart', namespace: 'shop' }, 7, null, { name: 'x' }],
    },
  },
  { serviceName: 'cart', namespace: 'shop', version: '9', endpoint: 'http://other', dependencies: ['stock'] },
  // What only a change by hand can make.
  { serviceName: 'odd', version: '1', dependencies: 'cart', migrationFile: [] },
]

describe.each([18, 15] as const)(
  'the views of docs/postgres.md, on PostgreSQL %i',
  (version: PostgresVersion) => {
    let server: PostgresServer

    beforeAll(async () => {
      server = await PostgresServer.start({ version })
      const store = new PostgresStore(storeOptions(server))
      const caller = new Caller(store, (await store.open()).position)
      await caller.send(...services.map((service, n) => commitOf(put(`s${n}`, service))))
      await caller.send(commitOf({ ...put('team:x', { id: 'team:x', label: 'X' }), kind: 'node' }))
      await store.close()
    })
    afterAll(() => server.dispose())

    it('show what runs, who needs it, and what is missing', async () => {
      expect(await server.query(running)).toEqual([
        { version: '1.0.0', endpoint: 'http://cart', status: 'pending_migration' },
      ])
      expect(await server.query(`${needing.replace(';', '')} order by 1, 2`)).toEqual([
        { consumer: 'checkout', range: '^1' },
        { consumer: 'checkout', range: null },
      ])
      expect(await server.query(`${missing.replace(';', '')} order by 1`)).toEqual([
        { provider: 'payment' },
        { provider: 'stock' },
      ])
    })

    it('have the columns that the page names, with both namespaces of a dependency', async () => {
      const rows = await server.query<Record<string, unknown>>(
        `select * from coordinator.dependencies order by service_id, provider, range, provider_namespace`,
      )
      const columns = /`migrationFile\.dependencies`: (.*) \|/.exec(section)?.[1]?.match(/\w+/g)
      expect(Object.keys(rows[0] ?? {})).toEqual(columns)
      const of = (id: string) => rows.filter((row) => row['service_id'] === id)
      expect(of('s2').map(({ provider, provider_namespace }) => [provider, provider_namespace])).toEqual([
        ['cart', 'default'],
        ['cart', 'default'],
        ['cart', 'shop'],
      ])
      expect(of('s3')).toMatchObject([{ consumer_namespace: 'shop', provider_namespace: 'shop' }])
      expect([of('s0'), of('s4')]).toEqual([[], []])
      const namespaces = await server.query('select namespace from coordinator.services order by service_id')
      expect(namespaces.map(({ namespace }) => namespace)).toEqual([
        'default',
        'default',
        'default',
        'shop',
        'default',
      ])
      const [last] = await server.query(
        `select attname as name from pg_attribute where attrelid = 'coordinator.services'::regclass order by attnum desc limit 1`,
      )
      expect(last).toEqual({ name: 'namespace' })
      expect(await server.query('select node_id, label from coordinator.asserted_nodes')).toEqual([
        { node_id: 'team:x', label: 'X' },
      ])
      expect(await server.query('select * from coordinator.asserted_edges')).toEqual([])
    })
  },
)
