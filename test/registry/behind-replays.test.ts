import { describe, expect, it } from 'vitest'
import { graphProjection } from '../../src/graph/derive/graph-projection.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { type Coordinator, withTwoCoordinators } from '../support/with-two-coordinators.ts'
import { cart, someone } from './with-registry.ts'

/** Everything that a coordinator says of a service, but for its liveness. */
const shown = ({ registry }: Coordinator, id: string) => registry.get(id).json
const listed = ({ registry }: Coordinator, status: string) => registry.list(parseListQuery({ status })).total
const edgesOf = ({ live }: Coordinator) => live.view.projection(graphProjection).edges.count

describe('a coordinator that is behind, and is sent a registration again under its key', () => {
  it('shows what is stored, and not what it would have stored itself', () =>
    withTwoCoordinators(async (first, second) => {
      const keyed = { ...someone, idempotencyKey: 'k' }
      const registration = { ...cart, dependencies: ['db'] }
      const { serviceId } = await first.registry.register(
        { ...registration, migrationFile: { requires: ['pay'] } },
        someone,
      )
      // It keeps the migrationFile that was stored: the second coordinator knows of none.
      expect(await first.registry.register({ ...registration, tags: ['x'] }, keyed)).toMatchObject({
        revision: 2,
        status: 'active',
      })
      expect(await second.registry.register({ ...registration, tags: ['x'] }, keyed)).toMatchObject({
        serviceId,
        revision: 2,
        replayed: true,
      })
      expect(second.live.view.revision).toBe(2)
      expect(shown(second, serviceId)).toBe(shown(first, serviceId))
      expect(JSON.parse(shown(second, serviceId))).toMatchObject({
        status: 'active',
        tags: ['x'],
        migrationFile: { requires: ['pay'] },
      })
      expect([listed(second, 'active'), listed(second, 'pending_migration')]).toEqual([1, 0])
      expect(second.registry.counts()).toEqual({ services: 1, active: 1 })
      expect(edgesOf(second)).toBe(edgesOf(first))
      expect((await second.graph.rebuild()).differences).toEqual([])
    }))

  it('answers the first result of a deregistration and of a second stage too', () =>
    withTwoCoordinators(async (first, second) => {
      const { serviceId } = await first.registry.register(cart, someone)
      const stage = { ...someone, idempotencyKey: 'stage' }
      const file = { migrationFile: { tables: ['t'] } }
      await first.registry.submitMigration(serviceId, file, stage)
      expect(await second.registry.submitMigration(serviceId, file, stage)).toMatchObject({
        revision: 2,
        replayed: true,
      })
      const end = { ...someone, idempotencyKey: 'end' }
      await first.registry.deregister(serviceId, end)
      expect(await second.registry.deregister(serviceId, end)).toMatchObject({ revision: 3, replayed: true })
      expect(second.registry.counts()).toEqual({ services: 0, active: 0 })
    }))
})
