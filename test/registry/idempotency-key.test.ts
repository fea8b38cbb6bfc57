import { describe, expect, it } from 'vitest'
import { identifyCommit } from '../../src/live/writing/idempotency.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { conditional } from '../support/conditional.ts'
import { cart, errorOf, someone, withRegistry } from './with-registry.ts'

describe('Idempotency-Key', () => {
  const keyed = { ...someone, idempotencyKey: 'key 1' }

  it('answers the first result again, even after others changed the service', () =>
    withRegistry(async ({ registry, live }) => {
      const first = await registry.register(cart, keyed)
      await registry.register({ ...cart, tags: ['a'] }, someone)
      const again = await registry.register(cart, keyed)
      expect(again).toMatchObject({ revision: first.revision, created: true, changed: true, replayed: true })
      expect(live.view.revision).toBe(2)
    }))

  it('answers that nothing changed again, and leaves what others registered meanwhile', () =>
    withRegistry(async ({ registry, live }) => {
      await registry.register(cart, someone)
      expect(await registry.register(cart, keyed)).toMatchObject({
        changed: false,
        revision: 1,
        replayed: false,
      })
      const newer = await registry.register({ ...cart, tags: ['newer'] }, someone)
      expect(await registry.register(cart, keyed)).toMatchObject({
        changed: false,
        revision: 1,
        replayed: true,
      })
      expect(JSON.parse((await registry.get(newer.serviceId)).json)).toMatchObject({ tags: ['newer'] })
      await expect(registry.register({ ...cart, tags: ['other'] }, keyed)).rejects.toMatchObject({
        code: 'COORD_IDEMPOTENCY_REUSED',
        outcome: 'not_written',
      })
      expect(live.view.revision).toBe(2)
    }))

  it('answers 404 again to a deregistration of what was not there, and leaves what was registered since', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      await registry.deregister(serviceId, someone)
      const gone = { code: 'COORD_SERVICE_NOT_FOUND' }
      await expect(registry.deregister(serviceId, keyed)).rejects.toMatchObject(gone)
      await registry.register(cart, someone)
      await expect(registry.deregister(serviceId, keyed)).rejects.toMatchObject(gone)
      expect((await registry.get(serviceId)).revision).toBe(3)
    }))

  it('answers the first result of a deregistration again', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      const first = await registry.deregister(serviceId, keyed)
      expect(first).toEqual({ serviceId, revision: 2, changed: true, replayed: false })
      expect(await registry.deregister(serviceId, keyed)).toEqual({ ...first, replayed: true })
      const ifMatch = { ...keyed, ...conditional({ ifMatch: '*' }) }
      expect(await registry.deregister(serviceId, ifMatch)).toEqual({ ...first, replayed: true })
    }))

  it('answers the first result of a second stage again, though the service is gone', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, someone)
      const body = { migrationFile: { a: 1 } }
      const first = await registry.submitMigration(serviceId, body, keyed)
      await registry.deregister(serviceId, someone)
      expect(await registry.submitMigration(serviceId, body, keyed)).toEqual({ ...first, replayed: true })
    }))

  it.each([
    ['pending_migration', {}, { migrationFile: { a: 1 } }],
    ['active', { migrationFile: { a: 1 } }, undefined],
  ])('answers the status that it had then: %s', (status, fields, later) =>
    withRegistry(async ({ registry }) => {
      const first = await registry.register({ ...cart, ...fields }, keyed)
      expect(first).toMatchObject({ status, created: true })
      if (later !== undefined) await registry.submitMigration(first.serviceId, later, someone)
      else {
        await registry.deregister(first.serviceId, someone)
        await registry.register(cart, someone)
      }
      expect(await registry.register({ ...cart, ...fields }, keyed)).toEqual({ ...first, replayed: true })
    }),
  )

  it('answers that a stored migrationFile stayed, though the service came back without it', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, migrationFile: { a: 1 } }, someone)
      const first = await registry.register({ ...cart, tags: ['a'] }, keyed)
      expect(first).toMatchObject({ status: 'active', created: false })
      await registry.deregister(serviceId, someone)
      await registry.register(cart, someone)
      expect(await registry.register({ ...cart, tags: ['a'] }, keyed)).toEqual({ ...first, replayed: true })
    }))

  it('answers warnings of now', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, version: '1' }, someone)
      const first = await registry.register({ ...cart, version: '2' }, keyed)
      expect(first.warnings).toMatchObject([{ code: 'other_version', serviceId }])
      await registry.deregister(serviceId, someone)
      expect(await registry.register({ ...cart, version: '2' }, keyed)).toEqual({
        ...first,
        replayed: true,
        warnings: [],
      })
    }))

  it('belongs to one route: another one with the same body is refused', () =>
    withRegistry(async ({ registry }) => {
      const body = { ...cart, migrationFile: { a: 1 } }
      const { serviceId } = await registry.register(body, keyed)
      expect(await errorOf(() => registry.submitMigration(serviceId, body, keyed))).toMatchObject({
        code: 'COORD_IDEMPOTENCY_REUSED',
      })
    }))

  it('makes the same commit id in every release: a request that is repeated after an upgrade is known', () => {
    const wish = { route: 'POST /register', body: { b: 1, a: [true] } }
    expect(identifyCommit({ ...someone, idempotencyKey: 'order 7' }, wish)).toEqual({
      commitId: '15ee0ab4-bc77-5164-9022-78ebd64d0657',
      fingerprint: '8dae4556d21167aa147b5d2dccce8fd179ff79bc1c43abb2885c8fc33b1cb7a4',
    })
    expect(identifyCommit({ ...someone, idempotencyKey: 'order 7' }, { ...wish, index: 3 }).commitId).toBe(
      'dfe44e89-da03-553c-878f-d0f172868f14',
    )
  })

  it('with other content is refused', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart, keyed)
      for (const call of [
        () => registry.register({ ...cart, tags: ['a'] }, keyed),
        () => registry.register({ ...cart, serviceName: 'other' }, keyed),
        () => registry.deregister(serviceId, keyed),
        () => registry.submitMigration(serviceId, { migrationFile: {} }, keyed),
      ])
        expect(await errorOf(call)).toMatchObject({
          code: 'COORD_IDEMPOTENCY_REUSED',
          outcome: 'not_written',
        })
      expect(registry.counts()).toEqual({ services: 1, active: 0 })
    }))

  it('with the same content written in another order is the same', () =>
    withRegistry(async ({ registry }) => {
      await registry.register(cart, keyed)
      const reversed = Object.fromEntries(Object.entries(cart).reverse()) as unknown as typeof cart
      expect(canonicalJson(reversed)).toBe(canonicalJson(cart))
      expect(await registry.register(reversed, keyed)).toMatchObject({ replayed: true })
    }))

  it.each(['', 'ä', 'a\nb', 'x'.repeat(256)])('%j is not a key', (idempotencyKey) =>
    withRegistry(async ({ registry }) => {
      expect(await errorOf(() => registry.register(cart, { ...someone, idempotencyKey }))).toMatchObject({
        code: 'COORD_HEADER_INVALID',
        errors: [{ path: 'idempotencyKey' }],
      })
    }),
  )
})
