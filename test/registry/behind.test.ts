import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { Live } from '../../src/live/live.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { createRegistry, parseListQuery, type Registry, registryDomain } from '../../src/registry/registry.ts'
import { cart, errorOf, someone, withRegistry } from './with-registry.ts'

/** Two coordinators on one store; the second one hears of the first one's commits only when it asks. */
async function withTwo(run: (first: Registry, second: Registry) => Promise<void>): Promise<void> {
  const store = new MemoryStore()
  const slow = { pollMinMs: 600_000, pollMaxMs: 600_000 }
  const lives = [new Live(store, registryDomain), new Live(store, registryDomain, slow)] as const
  const [first, second] = [createRegistry(lives[0]), createRegistry(lives[1])]
  for (const live of lives) await live.start()
  try {
    await run(first, second)
  } finally {
    for (const live of lives) await live.stop()
  }
}

describe('a coordinator that is behind', () => {
  it('does not wipe out a migrationFile that it has not seen', () =>
    withTwo(async (first, second) => {
      const { serviceId } = await first.register({ ...cart, migrationFile: { a: 1 } }, someone)
      expect(await second.register({ ...cart, tags: ['x'] }, someone)).toMatchObject({
        serviceId,
        created: false,
        status: 'active',
        revision: 2,
      })
      expect(JSON.parse(second.get(serviceId).json)).toMatchObject({ migrationFile: { a: 1 }, tags: ['x'] })
    }))

  it('answers the same registration without a change', () =>
    withTwo(async (first, second) => {
      const { revision } = await first.register(cart, someone)
      expect(await second.register(cart, someone)).toMatchObject({ created: false, changed: false, revision })
    }))

  it('takes the second stage of a service that it has not seen', () =>
    withTwo(async (first, second) => {
      const { serviceId } = await first.register(cart, someone)
      expect(await second.submitMigration(serviceId, { migrationFile: {} }, someone)).toMatchObject({
        revision: 2,
      })
    }))

  it('deregisters a service that it has not seen', () =>
    withTwo(async (first, second) => {
      const { serviceId } = await first.register(cart, someone)
      expect(await second.deregister(serviceId, someone)).toMatchObject({ revision: 2 })
    }))

  it('meets If-Match: * and an ETag of what it has not seen', () =>
    withTwo(async (first, second) => {
      const { etag } = await first.register({ ...cart, migrationFile: { a: 1 } }, someone)
      const next = await second.register({ ...cart, tags: ['x'] }, { ...someone, ifMatch: etag })
      expect(next).toMatchObject({ status: 'active', revision: 2 })
      await first.register({ ...cart, serviceName: 'b' }, someone)
      expect(
        await second.register({ ...cart, serviceName: 'b', tags: ['x'] }, { ...someone, ifMatch: '*' }),
      ).toMatchObject({ created: false, changed: true })
    }))

  it('refuses If-None-Match: * and an old ETag', () =>
    withTwo(async (first, second) => {
      const { etag } = await first.register(cart, someone)
      await first.register({ ...cart, tags: ['x'] }, someone)
      for (const context of [
        { ...someone, ifNoneMatch: '*' },
        { ...someone, ifMatch: etag },
      ])
        expect(await errorOf(() => second.register({ ...cart, tags: ['y'] }, context))).toMatchObject({
          code: 'COORD_PRECONDITION_FAILED',
          extra: { actual: 2 },
        })
    }))

  it('answers the first result to a key that was used elsewhere', () =>
    withTwo(async (first, second) => {
      const keyed = { ...someone, idempotencyKey: 'k' }
      const { revision } = await first.register(cart, keyed)
      expect(await second.register(cart, keyed)).toMatchObject({ revision, created: true, replayed: true })
      expect(await errorOf(() => second.register({ ...cart, tags: ['x'] }, keyed))).toMatchObject({
        code: 'COORD_IDEMPOTENCY_REUSED',
      })
    }))

  it('lets one of two win where both change what they read', () =>
    withTwo(async (first, second) => {
      const { etag } = await first.register(cart, someone)
      const outcomes = await Promise.allSettled(
        [first, second].map((registry, index) =>
          registry.register({ ...cart, tags: [`t${index}`] }, { ...someone, ifMatch: etag }),
        ),
      )
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    }))
})

describe('a record that was made unfit by hand', () => {
  const breakIt = async (live: Live, id: string) => {
    const write = { op: 'put', kind: 'service', id, data: canonicalJson({ serviceName: '' }) } as const
    await live.commit({ commitId: crypto.randomUUID(), actor: 'sql:me', writes: [write] })
  }

  it('is not served, and is mended by the next registration', () =>
    withRegistry(async ({ registry, live }) => {
      const { serviceId } = await registry.register(cart, someone)
      await breakIt(live, serviceId)
      expect(registry.list(parseListQuery({})).total).toBe(0)
      expect(registry.counts()).toEqual({ services: 0, active: 0 })
      expect(await registry.register(cart, someone)).toMatchObject({ serviceId, changed: true, revision: 3 })
      expect(registry.get(serviceId).revision).toBe(3)
      expect(live.view.refusedCount).toBe(0)
    }))

  it('counts as existing for If-Match: *', () =>
    withRegistry(async ({ registry, live }) => {
      const { serviceId } = await registry.register(cart, someone)
      await breakIt(live, serviceId)
      const ifMatch = { ...someone, ifMatch: '*' }
      expect(await registry.register(cart, ifMatch)).toMatchObject({ created: false, revision: 3 })
    }))

  it('can be deregistered', () =>
    withRegistry(async ({ registry, live }) => {
      const { serviceId } = await registry.register(cart, someone)
      await breakIt(live, serviceId)
      expect(await registry.deregister(serviceId, someone)).toMatchObject({ revision: 3 })
      expect(live.view.refusedCount).toBe(0)
    }))
})
