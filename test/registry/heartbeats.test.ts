import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { Live } from '../../src/live/live.ts'
import { LocalLeases } from '../../src/registry/leases/local-leases.ts'
import { domain, Registry } from '../../src/registry/registry.ts'
import { conditional, etagOf } from '../support/conditional.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { cart, errorOf, type ScopeOptions, someone, withRegistry } from './with-registry.ts'

/** Clocks that a test moves by hand. They start when the coordinator does. */
class Clocks {
  monotonicMs = 5_000_000
  wall = Date.UTC(2030, 0, 1)

  pass(seconds: number): void {
    this.monotonicMs += seconds * 1_000
    this.wall += seconds * 1_000
  }

  options(): ScopeOptions {
    const leases = new LocalLeases({ monotonicMs: () => this.monotonicMs, now: () => this.wall })
    return { leases, store: { now: () => this.wall } }
  }
}

const fields = (registry: Registry, serviceId: string) => {
  const { health, lastHeartbeat } = JSON.parse(registry.get(serviceId).json)
  return { health, lastHeartbeat }
}
const healthy = (registry: Registry, health: string) => registry.list(parseListQuery({ health })).total

describe('heartbeats', () => {
  it('make a service up or down, and nobody else', async () => {
    const clocks = new Clocks()
    await withRegistry(async ({ registry, live }) => {
      const { serviceId } = await registry.register(cart, someone)
      await registry.register({ ...cart, serviceName: 'other' }, someone)
      expect(fields(registry, serviceId)).toEqual({ health: 'unknown', lastHeartbeat: null })
      clocks.pass(1)
      expect(registry.heartbeat(serviceId)).toEqual({ serviceId, health: 'up', lastHeartbeat: clocks.wall })
      expect(fields(registry, serviceId)).toEqual({ health: 'up', lastHeartbeat: '2030-01-01T00:00:01.000Z' })
      expect(registry.heartbeat(serviceId, { status: 'down' })).toMatchObject({ health: 'down' })
      expect([healthy(registry, 'down'), healthy(registry, 'unknown'), healthy(registry, 'up')]).toEqual([
        1, 1, 0,
      ])
      expect(live.view.revision).toBe(2)
    }, clocks.options())
  })

  it('warn of what was ignored: a word that was meant for the status leaves the service up', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      const answer = registry.heartbeat(serviceId, { Status: 'down' })
      expect(answer).toMatchObject({
        health: 'up',
        warnings: [{ code: 'unknown_field', path: '/Status' }],
      })
      expect(answer.warnings?.[0]?.message).toContain('did you mean status?')
    }))

  it('change the ETags of what shows them where they change the health, and nothing that is stored', () =>
    withRegistry(async ({ registry, live }) => {
      const registered = await registry.register(cart, someone)
      const { serviceId } = registered
      const other = await registry.register({ ...cart, serviceName: 'other' }, someone)
      const seen = async () => {
        const all = registry.listAll(parseListQuery({}))
        for await (const _ of all);
        const list = (question: Record<string, string>) => etagOf(registry.list(parseListQuery(question)))
        return [
          etagOf(registry.get(serviceId)),
          list({}),
          list({ name: cart.serviceName }),
          list({ fields: 'health' }),
          etagOf(all),
        ]
      }
      const untouched = () => [
        etagOf(registry.get(other.serviceId)),
        etagOf(registry.list(parseListQuery({ name: 'other' }))),
      ]
      const others = untouched()
      const states = [await seen()]
      for (const status of ['down', 'up'] as const) {
        registry.heartbeat(serviceId, { status })
        states.push(await seen())
        // A heartbeat that says the same moves only the clock of the last one.
        registry.heartbeat(serviceId, { status })
        expect(await seen()).toEqual(states.at(-1))
      }
      for (const [at, one] of (states[0] as string[]).entries())
        expect(new Set(states.map((tags) => tags[at])).size, one).toBe(3)
      expect(untouched()).toEqual(others)
      expect(live.view.get('service', serviceId)?.data).not.toContain('down')
      expect(etagOf(registered)).toBe(`"${live.view.lineage.slice(0, 8)}-1"`)
    }))

  it.each(['down', 'up', 'none'])('are no part of a condition on what is stored: %s', (status) =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      const etag = etagOf(registry.get(serviceId))
      if (status !== 'none') registry.heartbeat(serviceId, { status })
      expect(
        await registry.register({ ...cart, tags: ['x'] }, { ...someone, ...conditional({ ifMatch: etag }) }),
      ).toMatchObject({
        revision: 2,
      })
      const lost = registry.register(
        { ...cart, tags: ['y'] },
        { ...someone, ...conditional({ ifMatch: etag }) },
      )
      expect(await errorOf(() => lost)).toMatchObject({ code: 'COORD_PRECONDITION_FAILED' })
    }),
  )

  it('that stay away change the ETags too: without a commit and without a request', async () => {
    const clocks = new Clocks()
    await withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, ttlSeconds: 30 }, someone)
      registry.heartbeat(serviceId)
      const tags = () => [etagOf(registry.get(serviceId)), etagOf(registry.list(parseListQuery({})))]
      const up = tags()
      clocks.pass(31_000)
      expect(fields(registry, serviceId).health).toBe('expired')
      const expired = tags()
      expect(expired[0]).not.toBe(up[0])
      expect(expired[1]).not.toBe(up[1])
    }, clocks.options())
  })

  it('are shown in a list of everything as they were when its ETag was made', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      const all = registry.listAll(parseListQuery({}))
      registry.heartbeat(serviceId, { status: 'down' })
      const lines: string[] = []
      for await (const chunk of all) lines.push(chunk)
      expect(JSON.parse(lines.join(''))).toMatchObject({ health: 'unknown', lastHeartbeat: null })
    }))

  it('without a TTL never expire', async () => {
    const clocks = new Clocks()
    await withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      registry.heartbeat(serviceId)
      clocks.pass(1_000_000)
      expect(fields(registry, serviceId).health).toBe('up')
    }, clocks.options())
  })

  it('with a TTL expire after it, and are renewed', async () => {
    const clocks = new Clocks()
    await withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, ttlSeconds: 30 }, someone)
      expect(registry.heartbeat(serviceId)).toMatchObject({ ttlSeconds: 30, expiresAt: clocks.wall + 30_000 })
      clocks.pass(30)
      expect(fields(registry, serviceId).health).toBe('up')
      clocks.pass(0.001)
      expect(fields(registry, serviceId).health).toBe('expired')
      expect(healthy(registry, 'expired')).toBe(1)
      registry.heartbeat(serviceId, { status: 'down' })
      expect(fields(registry, serviceId).health).toBe('down')
    }, clocks.options())
  })

  it('leave a silent service unknown until the coordinator has served one TTL', async () => {
    const clocks = new Clocks()
    await withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, ttlSeconds: 30 }, someone)
      // Registered long before this coordinator started, as far as the wall clock knows.
      clocks.wall += 3_600_000
      clocks.pass(30)
      expect(fields(registry, serviceId).health).toBe('unknown')
      clocks.pass(0.001)
      expect(fields(registry, serviceId).health).toBe('expired')
      const late = await registry.register({ ...cart, serviceName: 'late', ttlSeconds: 30 }, someone)
      expect(fields(registry, late.serviceId).health).toBe('unknown')
      clocks.pass(31)
      expect(fields(registry, late.serviceId).health).toBe('expired')
    }, clocks.options())
  })

  it('could not arrive before the database answered: a start that took long declares nobody dead', async () => {
    const clocks = new Clocks()
    const { leases, store: storeOptions } = clocks.options()
    const store = new MemoryStore(storeOptions)
    const first = new Live(store, domain)
    await first.start()
    const { serviceId } = await new Registry(first).register({ ...cart, ttlSeconds: 30 }, someone)
    const late = new Live(store, domain)
    const registry = new Registry(late, { leases: leases as LocalLeases })
    clocks.pass(3_600)
    await late.start()
    expect(fields(registry, serviceId).health).toBe('unknown')
    clocks.pass(30.001)
    expect(fields(registry, serviceId).health).toBe('expired')
    await Promise.all([first.stop(), late.stop()])
  })

  it('do not care about a wall clock that jumps', async () => {
    const clocks = new Clocks()
    await withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, ttlSeconds: 30 }, someone)
      registry.heartbeat(serviceId)
      clocks.wall += 86_400_000
      expect(fields(registry, serviceId).health).toBe('up')
      clocks.wall -= 10 * 86_400_000
      clocks.pass(31)
      expect(fields(registry, serviceId).health).toBe('expired')
    }, clocks.options())
  })

  it('are forgotten with the service', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      registry.heartbeat(serviceId)
      await registry.deregister(serviceId, someone)
      await registry.register(cart, someone)
      expect(fields(registry, serviceId)).toEqual({ health: 'unknown', lastHeartbeat: null })
    }))

  it('of an unknown service are 404, so that it registers again', () =>
    withRegistry(async ({ registry }) => {
      expect(await errorOf(() => registry.heartbeat('nobody'))).toMatchObject({
        code: 'COORD_SERVICE_NOT_FOUND',
      })
    }))

  it.each([[null], ['up'], [{ status: 'sick' }], [{ status: 1 }], [[]]])('refuse the body %j', (body) =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      expect(await errorOf(() => registry.heartbeat(serviceId, body))).toMatchObject({ status: 400 })
      expect(fields(registry, serviceId).health).toBe('unknown')
    }),
  )
})
