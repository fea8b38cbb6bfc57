import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { QueryValues } from '../../src/http/reading/read-query.ts'
import { Live } from '../../src/live/live.ts'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import { domain, type RegisterAnswer, Registry } from '../../src/registry/registry.ts'
import { conditional, etagOf } from '../support/conditional.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, errorOf, someone, withRegistry } from './with-registry.ts'

const service = (registry: Registry, serviceId: string) =>
  JSON.parse(registry.get(serviceId).json) as Record<string, unknown>

describe('register', () => {
  it('answers a new service, and the same again without a change', () =>
    withRegistry(async ({ registry }) => {
      const first = await registry.register(cart, someone)
      expect(first).toMatchObject({
        serviceId: serviceIdOf(cart),
        status: 'pending_migration',
        created: true,
        changed: true,
        revision: 1,
        replayed: false,
        warnings: [],
      })
      expect(await registry.register({ ...cart, tags: [] }, someone)).toEqual({
        ...first,
        created: false,
        changed: false,
      })
      const shown = registry.get(first.serviceId)
      expect({ ...shown, etag: etagOf(shown) }).toMatchObject({
        etag: etagOf(first).replace(/"$/, '-unknown"'),
        revision: 1,
      })
    }))

  it('stores and finds what was sent, whatever the sender does with it afterwards', () =>
    withRegistry(async ({ registry }) => {
      const sent = { ...cart, tags: ['a'], capabilities: ['p'], metadata: { zone: 'x' } }
      const answer = registry.register(sent, someone)
      sent.tags[0] = 'b'
      sent.capabilities.push('q')
      sent.metadata.zone = 'y'
      const { serviceId } = await answer
      const total = (parameters: QueryValues) => registry.list(parseListQuery(parameters)).total
      const found = [{ tag: 'a' }, { capability: 'p' }, { 'metadata.zone': 'x' }]
      const others = [{ tag: 'b' }, { capability: 'q' }, { 'metadata.zone': 'y' }]
      expect([...found, ...others].map(total)).toEqual([1, 1, 1, 0, 0, 0])
      await registry.deregister(serviceId, someone)
      expect([...found, ...others].map(total)).toEqual([0, 0, 0, 0, 0, 0])
    }))

  it('replaces all fields: what is left out goes back to its default', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(
        { ...cart, description: 'x', tags: ['a'], ttlSeconds: 9, healthCheck: '/ready', metadata: { a: 1 } },
        someone,
      )
      expect(await registry.register(cart, someone)).toMatchObject({
        created: false,
        changed: true,
        revision: 2,
      })
      expect(service(registry, serviceId)).toMatchObject({ tags: [], metadata: {}, healthCheck: '/health' })
      expect(service(registry, serviceId)).not.toHaveProperty('description')
      expect(service(registry, serviceId)).not.toHaveProperty('ttlSeconds')
    }))

  it('keeps a stored migrationFile, unless another one is sent', () =>
    withRegistry(async ({ registry }) => {
      const migrationFile = { tables: ['carts'] }
      const { serviceId } = await registry.register({ ...cart, migrationFile }, someone)
      expect(await registry.register({ ...cart, tags: ['a'] }, someone)).toMatchObject({ status: 'active' })
      expect(service(registry, serviceId)).toMatchObject({ migrationFile, tags: ['a'], status: 'active' })
      const other = { tables: [] }
      await registry.register({ ...cart, migrationFile: other }, someone)
      expect(service(registry, serviceId)).toMatchObject({ migrationFile: other, tags: [] })
    }))

  it('is not confused by a migrationFile inside metadata', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, metadata: { migrationFile: 1 } }, someone)
      expect(await registry.register({ ...cart, tags: ['a'] }, someone)).toMatchObject({
        status: 'pending_migration',
      })
      expect(service(registry, serviceId)).not.toHaveProperty('migrationFile')
      expect(registry.counts()).toEqual({ services: 1, active: 0 })
    }))

  it('gives a deregistered service its id back', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      await registry.deregister(serviceId, someone)
      expect(await registry.register(cart, someone)).toMatchObject({ serviceId, created: true, revision: 3 })
    }))

  it('names the id of another version at the same endpoint', () =>
    withRegistry(async ({ registry }) => {
      const old = await registry.register(cart, someone)
      const next = await registry.register(
        { ...cart, version: '1.1.0', endpoint: 'http://CART:7070/' },
        someone,
      )
      expect(next.warnings).toMatchObject([
        { code: 'other_version', path: '/version', serviceId: old.serviceId },
      ])
      // The hash of this endpoint is the same, the endpoint is not.
      const alike = await registry.register(
        { ...cart, version: '1.1.1', endpoint: 'http://cart:7070//' },
        someone,
      )
      expect(alike.warnings).toEqual([])
      const elsewhere = await registry.register({ ...cart, version: '1.2.0', endpoint: 'http://b' }, someone)
      expect(elsewhere.warnings).toEqual([])
      const instance = await registry.register({ ...cart, version: '1.3.0', instanceId: 'a' }, someone)
      expect(instance.warnings).toEqual([])
      expect(registry.counts().services).toBe(5)
    }))

  it('stores nothing of what it refuses', () =>
    withRegistry(async ({ registry, live }) => {
      const error = await errorOf(() => registry.register({ ...cart, tags: [''] }, someone))
      expect(error).toMatchObject({ code: 'COORD_FIELD_INVALID', outcome: 'not_written' })
      expect(live.view.revision).toBe(0)
    }))

  it('lets 64 clients change one service at once, and loses none of them', () =>
    withRegistry(async ({ registry, live }) => {
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, index) =>
          registry.register({ ...cart, tags: [`t${index}`] }, someone),
        ),
      )
      expect(answers.map(({ revision }) => revision).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 64 }, (_, index) => index + 1),
      )
      expect(live.view.revision).toBe(64)
    }))

  it('carries names of any kind through every path', () =>
    withRegistry(async ({ registry }) => {
      for (const serviceName of [
        'a b',
        'a:b',
        'a/b?c#d',
        '%2F',
        '🛒 चाय',
        '"quoted\\"',
        "'; drop table",
        'a\u2028b',
      ]) {
        const { serviceId } = await registry.register({ ...cart, serviceName }, someone)
        expect(service(registry, serviceId)['serviceName']).toBe(serviceName)
        const filters = { name: serviceName, tags: [], capabilities: [], metadata: [] }
        const { items } = registry.list({ filters, limit: 10 })
        expect(items.map((item) => JSON.parse(item).serviceId)).toEqual([serviceId])
      }
    }))

  it('writes nothing before the first load, and says so', async () => {
    const live = new Live(new MemoryStore(), domain)
    const registry = new Registry(live)
    for (const call of [
      () => registry.register(cart, someone),
      () => registry.register(cart, { ...someone, ...conditional({ ifMatch: '*' }) }),
      () => registry.registerBatch([cart], someone),
      () => registry.submitMigration('x', { migrationFile: {} }, someone),
      () => registry.deregister('x', someone),
    ])
      expect(await errorOf(call)).toMatchObject({ code: 'COORD_NOT_LOADED', outcome: 'not_written' })
    expect(() => registry.counts()).toThrow(expect.objectContaining({ code: 'COORD_NOT_LOADED' }))
  })
})

describe('the second stage', () => {
  it('makes a pending service active, and keeps all else', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, tags: ['a'] }, someone)
      const body = { migrationFile: { tables: ['carts'] } }
      const answer = await registry.submitMigration(serviceId, body, someone)
      expect(answer).toMatchObject({
        serviceId,
        status: 'active',
        created: false,
        changed: true,
        revision: 2,
      })
      expect(service(registry, serviceId)).toMatchObject({ ...body, tags: ['a'], status: 'active' })
      expect(await registry.submitMigration(serviceId, body, someone)).toMatchObject({
        changed: false,
        revision: 2,
      })
      expect(registry.counts()).toEqual({ services: 1, active: 1 })
    }))

  it.each(['00000000-0000-5000-8000-000000000000', 'nothing like an id', '', '\0', 'x'.repeat(600)])(
    'of an unknown service (%j) is 404',
    (serviceId) =>
      withRegistry(async ({ registry }) => {
        const body = { migrationFile: {} }
        for (const context of [someone, { ...someone, idempotencyKey: 'k' }])
          expect(await errorOf(() => registry.submitMigration(serviceId, body, context))).toMatchObject({
            code: 'COORD_SERVICE_NOT_FOUND',
          })
      }),
  )
})

describe('deregister', () => {
  it('removes the service, and later answers name the revision', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      expect(await registry.deregister(serviceId, someone)).toEqual({
        serviceId,
        revision: 2,
        changed: true,
        replayed: false,
      })
      for (const call of [() => registry.get(serviceId), () => registry.deregister(serviceId, someone)])
        expect(await errorOf(call)).toMatchObject({
          code: 'COORD_SERVICE_NOT_FOUND',
          extra: { deletedAtRevision: 2 },
        })
    }))

  it.each(['nobody', '', '\0', '\ud800', 'x'.repeat(600)])('of an unknown service (%j) is 404', (serviceId) =>
    withRegistry(async ({ registry }) => {
      expect(await errorOf(() => registry.deregister(serviceId, someone))).toMatchObject({
        code: 'COORD_SERVICE_NOT_FOUND',
      })
    }),
  )
})

describe('a batch', () => {
  it('judges each registration on its own, and answers in order', () =>
    withRegistry(async ({ registry }) => {
      const bad = { ...cart, endpoint: '/relative' }
      const { results } = await registry.registerBatch(
        [cart, bad, cart, null as never, { ...cart, serviceName: 'b\0' }, { ...cart, version: '2.0.0' }],
        someone,
      )
      expect(results).toMatchObject([
        { created: true, revision: 1 },
        { code: 'COORD_ENDPOINT_RELATIVE' },
        { created: false, changed: false, revision: 1 },
        { code: 'COORD_BODY_WRONG_TYPE' },
        { code: 'COORD_TEXT_NUL' },
        { created: true, revision: 2 },
      ])
    }))

  it('takes 1,000 and the form of a list, and refuses 1,001', () =>
    withRegistry(async ({ registry, live }) => {
      const services = Array.from({ length: 1_000 }, (_, index) => ({ ...cart, serviceName: `s${index}` }))
      const { results } = await registry.registerBatch({ services }, someone)
      expect(results.every((result) => (result as RegisterAnswer).created)).toBe(true)
      expect(live.view.revision).toBe(1_000)
      expect(await errorOf(() => registry.registerBatch([...services, cart], someone))).toMatchObject({
        code: 'COORD_FIELD_TOO_LARGE',
      })
      expect(await registry.registerBatch([], someone)).toEqual({ results: [] })
    }))

  it('sent again with its Idempotency-Key answers the first results', () =>
    withRegistry(async ({ registry, live }) => {
      const keyed = { ...someone, idempotencyKey: 'k' }
      const services = [cart, { ...cart, serviceName: 'b' }]
      await registry.registerBatch(services, keyed)
      const { results } = await registry.registerBatch(services, keyed)
      expect(results).toMatchObject([{ replayed: true }, { replayed: true }])
      expect(live.view.revision).toBe(2)
    }))

  it('has its Idempotency-Key in common with single registrations: other content is refused in both orders', () =>
    withRegistry(async ({ registry, live }) => {
      const [one, two] = [cart, { ...cart, serviceName: 'b' }]
      const [batchFirst, singleFirst] = [
        { ...someone, idempotencyKey: '1' },
        { ...someone, idempotencyKey: '2' },
      ]
      const refused = { code: 'COORD_IDEMPOTENCY_REUSED', outcome: 'not_written' }
      await registry.registerBatch([one], batchFirst)
      expect(await errorOf(() => registry.register(two, batchFirst))).toMatchObject(refused)
      expect((await registry.registerBatch([one], batchFirst)).results).toMatchObject([{ replayed: true }])
      expect(await registry.register(one, batchFirst)).toMatchObject({ replayed: true, revision: 1 })
      await registry.register({ ...cart, serviceName: 'c' }, singleFirst)
      expect((await registry.registerBatch([two], singleFirst)).results).toMatchObject([refused])
      expect(live.view.revision).toBe(2)
    }))

  it.each([[{}], [{ services: {} }], ['x'], [null], [undefined]])('refuses %j', (body) =>
    withRegistry(async ({ registry }) => {
      expect(await errorOf(() => registry.registerBatch(body as never, someone))).toMatchObject({
        code: 'COORD_BODY_WRONG_TYPE',
      })
    }),
  )

  it('takes no precondition', () =>
    withRegistry(async ({ registry }) => {
      expect(
        await errorOf(() => registry.registerBatch([cart], { ...someone, ...conditional({ ifMatch: '*' }) })),
      ).toMatchObject({
        code: 'COORD_HEADER_INVALID',
      })
    }))
})
