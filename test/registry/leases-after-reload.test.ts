import { describe, expect, it } from 'vitest'
import { LocalLeases } from '../../src/registry/leases/local-leases.ts'
import { domain, Registry } from '../../src/registry/registry.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { type LiveScope, until, withLive } from '../support/with-live.ts'
import { cart, someone } from './with-registry.ts'

/** Leases on a clock that a test moves by hand, which both of their clocks follow. */
class MovedLeases extends LocalLeases {
  pass: (seconds: number) => void

  constructor() {
    let ms = Date.now()
    super({ monotonicMs: () => ms, now: () => ms })
    this.pass = (seconds) => {
      ms += seconds * 1_000
    }
  }
}

const healthOf = (registry: Registry, id: string) =>
  JSON.parse(registry.get(id).json) as { health: string; lastHeartbeat: string | null }

/** Makes the view be built anew, from the database as it is. */
async function reload({ live, store }: LiveScope): Promise<void> {
  const { lineage } = live.view
  await store.inner.fork((await store.inner.head()).position)
  await until(() => live.view.lineage !== lineage)
}

describe('leases when the view is built anew', () => {
  it('leave a silent service expired: the coordinator has served its TTL all the same', () =>
    withLive(
      async (scope) => {
        const leases = new MovedLeases()
        const registry = new Registry(scope.live, { leases })
        const { serviceId } = await registry.register({ ...cart, ttlSeconds: 30 }, someone)
        leases.pass(3_600)
        expect(healthOf(registry, serviceId).health).toBe('expired')
        await reload(scope)
        expect(healthOf(registry, serviceId).health).toBe('expired')
        expect(registry.list(parseListQuery({ health: 'expired' })).total).toBe(1)
      },
      { domain },
    ))

  it('keep what was heard of services that are still there', () =>
    withLive(
      async (scope) => {
        const leases = new MovedLeases()
        const registry = new Registry(scope.live, { leases })
        const { serviceId } = await registry.register({ ...cart, ttlSeconds: 30 }, someone)
        registry.heartbeat(serviceId, { status: 'down' })
        await reload(scope)
        expect(healthOf(registry, serviceId)).toMatchObject({
          health: 'down',
          lastHeartbeat: expect.any(String),
        })
        expect(leases.size).toBe(1)
      },
      { domain },
    ))

  it('forget a service that went meanwhile: registered again it has never been heard', () =>
    withLive(
      async (scope) => {
        const leases = new MovedLeases()
        const { live, store } = scope
        const registry = new Registry(live, { leases })
        const { serviceId } = await registry.register(cart, someone)
        const stays = await registry.register({ ...cart, serviceName: 'stays' }, someone)
        for (const id of [serviceId, stays.serviceId]) registry.heartbeat(id)
        // No entry tells of it: it was deregistered, and the journal compacted, while this coordinator heard nothing.
        store.always({ does: 'fail' }, 'changes')
        const other = await scope.another()
        await new Registry(other.live).deregister(serviceId, someone)
        await store.inner.compact(3)
        store.heal()
        await until(() => live.view.revision === 3)
        expect(leases.size).toBe(1)
        await registry.register(cart, someone)
        expect(healthOf(registry, serviceId)).toMatchObject({ health: 'unknown', lastHeartbeat: null })
        expect(healthOf(registry, stays.serviceId).health).toBe('up')
      },
      { domain },
    ))

  it('forget a service that another coordinator deregisters', () =>
    withLive(
      async (scope) => {
        const leases = new MovedLeases()
        const registry = new Registry(scope.live, { leases })
        const { serviceId } = await registry.register(cart, someone)
        registry.heartbeat(serviceId)
        const other = await scope.another()
        await new Registry(other.live).deregister(serviceId, someone)
        await until(() => scope.live.view.revision === 2)
        expect(leases.size).toBe(0)
      },
      { domain },
    ))
})
