import { describe, expect, it } from 'vitest'
import { fieldChanges } from '../../src/registry/field-changes.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, errorOf, someone, withRegistry } from './with-registry.ts'

describe('the changes between two versions of a service', () => {
  const of = (before: object, after: object) => fieldChanges(before as never, after as never)

  it('are told field by field, members of documents one by one, in order of their names', () => {
    expect(
      of(
        { version: '1', tags: ['a'], metadata: { x: 1, gone: true, same: [1] } },
        { version: '2', tags: ['a'], metadata: { x: 2, new: null, same: [1] } },
      ),
    ).toEqual([
      { field: 'metadata.gone', change: 'removed', before: true },
      { field: 'metadata.new', change: 'added', after: null },
      { field: 'metadata.x', change: 'changed', before: 1, after: 2 },
      { field: 'version', change: 'changed', before: '1', after: '2' },
    ])
  })

  it('are none where only the order of members differs', () => {
    expect(of({ metadata: { a: { x: 1, y: 2 } } }, { metadata: { a: { y: 2, x: 1 } } })).toEqual([])
  })

  it('tell of a document that comes or goes empty', () => {
    expect(of({}, { migrationFile: {} })).toEqual([{ field: 'migrationFile', change: 'added', after: {} }])
    expect(of({ migrationFile: {} }, { migrationFile: { a: 1 } })).toEqual([
      { field: 'migrationFile', change: 'removed', before: {} },
      { field: 'migrationFile.a', change: 'added', after: 1 },
    ])
  })

  it('show a value of 1,024 characters of JSON, and only name a larger one', () => {
    const [at, beyond] = ['x'.repeat(1_022), 'x'.repeat(1_023)]
    expect(of({ description: at }, { description: beyond })).toEqual([
      { field: 'description', change: 'changed', before: at },
    ])
  })
})

describe('the warning of another version', () => {
  it('is not about instances, whose version may change', () =>
    withRegistry(async ({ registry }) => {
      await registry.register({ ...cart, instanceId: 'a' }, someone)
      expect((await registry.register({ ...cart, version: '2.0.0' }, someone)).warnings).toEqual([])
    }))

  it('is not given again where the service is known, and names at most ten others', () =>
    withRegistry(async ({ registry }) => {
      for (let n = 0; n < 12; n += 1) await registry.register({ ...cart, version: `1.${n}.0` }, someone)
      const next = await registry.register({ ...cart, version: '2.0.0' }, someone)
      expect(next.warnings).toHaveLength(10)
      expect(next.warnings[0]?.message).toMatch(/^cart 1\.\d+\.0 is still registered at the same endpoint;/)
      expect((await registry.register({ ...cart, version: '2.0.0' }, someone)).warnings).toEqual([])
    }))
})

describe('what is not there', () => {
  it('was deregistered at a revision, which is told until it is registered again', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      await registry.deregister(serviceId, someone)
      for (const ask of [
        () => registry.get(serviceId),
        () => registry.heartbeat(serviceId),
        () => registry.deregister(serviceId, someone),
        () => registry.submitMigration(serviceId, { migrationFile: {} }, someone),
      ])
        expect(await errorOf(ask)).toMatchObject({
          code: 'COORD_SERVICE_NOT_FOUND',
          detail: 'The service was deregistered at revision 2.',
          extra: { deletedAtRevision: 2 },
        })
      await registry.register(cart, someone)
      await registry.deregister(serviceId, someone)
      expect((await errorOf(() => registry.get(serviceId))).extra).toEqual({ deletedAtRevision: 4 })
      expect((await errorOf(() => registry.get('none'))).extra).toEqual({})
    }))

  it('was not there at that revision either, which the error names', () =>
    withRegistry(async ({ registry }) => {
      await registry.register(cart, someone)
      const { serviceId } = await registry.register({ ...cart, serviceName: 'b' }, someone)
      expect(await errorOf(() => registry.getAsOf(serviceId, { revision: 1 }))).toMatchObject({
        code: 'COORD_SERVICE_NOT_FOUND',
        detail: 'No service had this id at revision 1.',
        extra: { revision: 1 },
      })
    }))
})

describe('a list of the past', () => {
  it('knows of nobody whether it was alive', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      registry.heartbeat(serviceId)
      const total = async (health: string) =>
        (await registry.listAsOf(parseListQuery({ health }), { revision: 1 })).total
      expect([await total('unknown'), await total('up')]).toEqual([1, 0])
      const { items } = await registry.listAsOf(parseListQuery({}), { revision: 1 })
      expect(JSON.parse(items[0] as string)).toMatchObject({ health: 'unknown', lastHeartbeat: null })
    }))

  it('has a cursor exactly where more follows', () =>
    withRegistry(async ({ registry }) => {
      for (const serviceName of ['a', 'b']) await registry.register({ ...cart, serviceName }, someone)
      const cursor = async (limit: string) =>
        (await registry.listAsOf(parseListQuery({ limit }), { revision: 2 })).nextCursor
      expect([await cursor('2'), await cursor('3')]).toEqual([undefined, undefined])
      expect(await cursor('1')).toEqual(expect.any(String))
    }))

  it('has the times of then: registered once, updated later', async () => {
    let now = Date.UTC(2030, 0, 1)
    await withRegistry(
      async ({ registry }) => {
        const { serviceId } = await registry.register(cart, someone)
        now += 60_000
        await registry.register({ ...cart, tags: ['x'] }, someone)
        const times = (json: string) => {
          const { registeredAt, updatedAt } = JSON.parse(json)
          return [registeredAt, updatedAt]
        }
        const [first, second] = ['2030-01-01T00:00:00.000Z', '2030-01-01T00:01:00.000Z']
        expect(times(registry.get(serviceId).json)).toEqual([first, second])
        expect(times((await registry.getAsOf(serviceId, { revision: 1 })).json)).toEqual([first, first])
        now += 60_000
        await registry.deregister(serviceId, someone)
        await registry.register(cart, someone)
        expect(times(registry.get(serviceId).json)).toEqual([
          '2030-01-01T00:02:00.000Z',
          '2030-01-01T00:02:00.000Z',
        ])
      },
      { store: { now: () => now } },
    )
  })
})
