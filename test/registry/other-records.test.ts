import { describe, expect, it } from 'vitest'
import { commitOf, put } from '../conformance/build.ts'
import { etagOf } from '../support/conditional.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, someone, withRegistry } from './with-registry.ts'

describe('services among thousands of other records', () => {
  it('have their states, their digest and their neighbours, as when they were alone', async () => {
    const states = async (others: number) => {
      const seen: unknown[] = []
      await withRegistry(async ({ registry, live }) => {
        const writes = Array.from({ length: others }, (_, at) => put(`n${at}`, {}, { kind: 'node' }))
        if (others > 0) await live.commit(commitOf(...writes))
        const { serviceId } = await registry.register({ ...cart, ttlSeconds: 30 }, someone)
        const empty = etagOf(registry.list(parseListQuery({ name: 'nothing' })))
        registry.heartbeat(serviceId, { status: 'down' })
        const newer = await registry.register({ ...cart, version: '2.0.0' }, someone)
        await registry.register({ ...cart, serviceName: 'a', migrationFile: { tables: [] } }, someone)
        const totals = [{}, { health: 'down' }, { status: 'active' }, { status: 'pending_migration' }].map(
          (query) => registry.list(parseListQuery(query)).total,
        )
        seen.push(totals, newer.warnings)
        expect(etagOf(registry.list(parseListQuery({})))).not.toBe(empty)
        await registry.deregister(serviceId, someone)
        seen.push(registry.list(parseListQuery({})).total)
      })
      return seen
    }
    const alone = await states(0)
    expect(alone).toEqual([[3, 1, 1, 2], [expect.objectContaining({ code: 'other_version' })], 2])
    expect(await states(5_000)).toEqual(alone)
  })
})
