import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { Live } from '../../src/live/live.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { domain, Registry } from '../../src/registry/registry.ts'
import { conditional, etagOf } from '../support/conditional.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, errorOf, someone, withRegistry } from './with-registry.ts'

/** Two coordinators on one store; the second one hears of the first one's commits only when it asks. */
async function withTwo(
  run: (first: Registry, second: Registry, lives: readonly [Live, Live]) => Promise<void>,
): Promise<void> {
  const store = new MemoryStore()
  const slow = { pollMinMs: 600_000, pollMaxMs: 600_000 }
  const lives = [new Live(store, domain), new Live(store, domain, slow)] as const
  const [first, second] = [new Registry(lives[0]), new Registry(lives[1])]
  for (const live of lives) await live.start()
  try {
    await run(first, second, lives)
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
      const etag = etagOf(await first.register({ ...cart, migrationFile: { a: 1 } }, someone))
      const next = await second.register(
        { ...cart, tags: ['x'] },
        { ...someone, ...conditional({ ifMatch: etag }) },
      )
      expect(next).toMatchObject({ status: 'active', revision: 2 })
      await first.register({ ...cart, serviceName: 'b' }, someone)
      expect(
        await second.register(
          { ...cart, serviceName: 'b', tags: ['x'] },
          { ...someone, ...conditional({ ifMatch: '*' }) },
        ),
      ).toMatchObject({ created: false, changed: true })
    }))

  it('refuses If-None-Match: * and an old ETag', () =>
    withTwo(async (first, second) => {
      const etag = etagOf(await first.register(cart, someone))
      await first.register({ ...cart, tags: ['x'] }, someone)
      for (const context of [
        { ...someone, ...conditional({ ifNoneMatch: '*' }) },
        { ...someone, ...conditional({ ifMatch: etag }) },
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
      const etag = etagOf(await first.register(cart, someone))
      const outcomes = await Promise.allSettled(
        [first, second].map((registry, index) =>
          registry.register(
            { ...cart, tags: [`t${index}`] },
            { ...someone, ...conditional({ ifMatch: etag }) },
          ),
        ),
      )
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    }))
})

describe('a coordinator that still shows a service which is gone', () => {
  /** The second coordinator shows the service, with all it had; the first one has deregistered it. */
  async function withGone(
    run: (scope: {
      first: Registry
      second: Registry
      lives: readonly [Live, Live]
      serviceId: string
    }) => Promise<void>,
  ): Promise<void> {
    await withTwo(async (first, second, lives) => {
      const { serviceId } = await first.register({ ...cart, migrationFile: { a: 1 } }, someone)
      await lives[1].catchUp()
      await first.deregister(serviceId, someone)
      expect(second.get(serviceId).json).toContain('"migrationFile":{"a":1}')
      await run({ first, second, lives, serviceId })
    })
  }

  it.each([
    ['If-None-Match: *', conditional({ ifNoneMatch: '*' })],
    ['no condition', {}],
    ['If-None-Match: * and a key', { ...conditional({ ifNoneMatch: '*' }), idempotencyKey: 'k' }],
  ])('gives a new one with %s nothing of the old one', (_name, conditions) =>
    withGone(async ({ second, serviceId }) => {
      expect(await second.register(cart, { ...someone, ...conditions })).toMatchObject({
        created: true,
        status: 'pending_migration',
        revision: 3,
      })
      expect(second.get(serviceId).json).not.toContain('migrationFile')
    }),
  )

  it.each([[{ ifNoneMatch: '*' }], [{}], [{ ifMatch: '*' }]])(
    'takes no second stage for it: %j',
    (conditions) =>
      withGone(async ({ second, lives, serviceId }) => {
        const body = { migrationFile: { b: 2 } }
        const refused = await errorOf(() =>
          second.submitMigration(serviceId, body, { ...someone, ...conditional(conditions) }),
        )
        expect(refused).toMatchObject({ status: 'ifMatch' in conditions ? 412 : 404 })
        expect((await lives[0].store.head()).position.revision).toBe(2)
      }),
  )

  it.each(['registration', 'second stage', 'deregistration'])(
    'refuses a %s with the ETag that it still answers: the service is gone',
    (what) =>
      withGone(async ({ second, serviceId }) => {
        const conditions = { ...someone, ...conditional({ ifMatch: etagOf(second.get(serviceId)) }) }
        const write = () =>
          what === 'registration'
            ? second.register(cart, conditions)
            : what === 'deregistration'
              ? second.deregister(serviceId, conditions)
              : second.submitMigration(serviceId, { migrationFile: {} }, conditions)
        expect(await errorOf(write)).toMatchObject({
          code: 'COORD_PRECONDITION_FAILED',
          extra: { expected: 1, actual: 0 },
        })
      }),
  )

  it('gives a batch nothing of the old one', () =>
    withGone(async ({ second, serviceId }) => {
      const { results } = await second.registerBatch([cart], someone)
      expect(results).toMatchObject([{ created: true, status: 'pending_migration', revision: 3 }])
      expect(second.get(serviceId).json).not.toContain('migrationFile')
    }))
})

describe('a coordinator that is behind, asked the same again', () => {
  it('shows what was stored, and not what was sent this time', () =>
    withTwo(async (first, second, lives) => {
      const keyed = { ...someone, idempotencyKey: 'k' }
      const { serviceId } = await first.register({ ...cart, migrationFile: { a: 1 } }, someone)
      const stored = await first.register({ ...cart, tags: ['x'] }, keyed)
      const again = await second.register({ ...cart, tags: ['x'] }, keyed)
      expect(again).toEqual({ ...stored, replayed: true })
      const shown = second.get(serviceId).json
      expect(shown).toBe(first.get(serviceId).json)
      expect(JSON.parse(shown)).toMatchObject({ migrationFile: { a: 1 }, tags: ['x'] })
      expect(second.list(parseListQuery({ tag: 'x', status: 'active' })).total).toBe(1)
      expect(lives[1].view.position).toEqual(lives[0].view.position)
    }))

  it.each(['second stage', 'deregistration'])(
    'answers the first result of a %s of what it never saw',
    (what) =>
      withTwo(async (first, second) => {
        const keyed = { ...someone, idempotencyKey: 'k' }
        const { serviceId } = await first.register(cart, someone)
        const write = (registry: Registry) =>
          what === 'deregistration'
            ? registry.deregister(serviceId, keyed)
            : registry.submitMigration(serviceId, { migrationFile: { a: 1 } }, keyed)
        const stored = await write(first)
        if (what !== 'deregistration') await first.deregister(serviceId, someone)
        expect(await write(second)).toEqual({ ...stored, replayed: true })
      }),
  )
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
      const ifMatch = { ...someone, ...conditional({ ifMatch: '*' }) }
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
