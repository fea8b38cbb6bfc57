import { describe, expect, it } from 'vitest'
import { holderOf, writtenBy, writtenWith } from '../support/written-by.ts'
import { cart, errorOf, withRegistry } from './with-registry.ts'

const stock = { ...cart, serviceName: 'stock', endpoint: 'http://stock:7070' }

describe('an idempotency key', () => {
  const keyed = (name: string, scopes = ['register:*']) => ({
    ...writtenWith(scopes, name),
    idempotencyKey: 'deploy-1',
  })

  it('belongs to its principal: others use the same key for their own commits', () =>
    withRegistry(async ({ registry, live }) => {
      const first = await registry.register(cart, keyed('one'))
      expect(await registry.register(stock, keyed('two'))).toMatchObject({ replayed: false, created: true })
      expect(await registry.register(cart, keyed('one'))).toMatchObject({
        replayed: true,
        revision: first.revision,
      })
      expect(await errorOf(() => registry.register(stock, keyed('one')))).toMatchObject({
        code: 'COORD_IDEMPOTENCY_REUSED',
        extra: { revision: first.revision },
      })
      expect(live.view.revision).toBe(2)
    }))

  it('tells nobody the result of others, not even for the same request', () =>
    withRegistry(async ({ registry }) => {
      await registry.register(cart, keyed('one'))
      const same = await registry.register(cart, keyed('two'))
      expect(same).toMatchObject({ replayed: false, changed: false, created: false })
      const { results } = await registry.registerBatch([cart, stock], keyed('three', ['register:cart']))
      expect(results).toMatchObject([{ replayed: false }, { code: 'COORD_SCOPE_MISSING' }])
    }))

  it('belongs to everybody where callers prove nothing', () =>
    withRegistry(async ({ registry }) => {
      const open = (actor: string) => ({ ...writtenBy(actor), idempotencyKey: 'k' })
      await registry.register(cart, open('http:a'))
      expect(await registry.register(cart, open('http:b'))).toMatchObject({ replayed: true })
    }))

  it('repeats nothing that the principal may not register any more', () =>
    withRegistry(async ({ registry }) => {
      await registry.register(cart, keyed('one'))
      expect(await errorOf(() => registry.register(cart, keyed('one', ['register:stock'])))).toMatchObject({
        code: 'COORD_SCOPE_MISSING',
      })
    }))
})

describe('the principal of a write', () => {
  it('is a program without limits if the library names none', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register(cart)
      const { entries } = await registry.history(serviceId)
      expect(entries[0]?.actor).toBe('library')
      expect(await registry.deregister(serviceId)).toMatchObject({ changed: true })
    }))

  it('decides, and not the actor that the journal names', () =>
    withRegistry(async ({ registry }) => {
      const context = writtenBy('admin', holderOf(['register:cart']))
      expect(await errorOf(() => registry.register(stock, context))).toMatchObject({
        code: 'COORD_SCOPE_MISSING',
      })
    }))
})
