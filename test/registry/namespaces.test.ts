import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/records/canonical-json.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import { parseListQuery } from '../support/parse-list-query.ts'
import { writtenWith } from '../support/written-by.ts'
import { cart, errorOf, type RegistryScope, someone, withRegistry } from './with-registry.ts'

const shown = ({ registry }: RegistryScope, id: string) => JSON.parse(registry.get(id).json) as JsonObject

describe('a namespace', () => {
  it('keeps services with the same name, version and endpoint apart', () =>
    withRegistry(async (scope) => {
      const { registry } = scope
      const first = await registry.register(cart, someone)
      const second = await registry.register({ ...cart, namespace: 'shop' }, someone)
      expect([first.created, second.created]).toEqual([true, true])
      expect(second.warnings).toEqual([])
      expect(shown(scope, first.serviceId)['namespace']).toBe('default')
      expect(shown(scope, second.serviceId)['namespace']).toBe('shop')
      await registry.deregister(first.serviceId, someone)
      expect(registry.counts().services).toBe(1)
    }))

  it('that is `default` changes nothing: the same service, the same bytes', () =>
    withRegistry(async ({ registry, live }) => {
      const { serviceId } = await registry.register(cart, someone)
      const again = await registry.register({ ...cart, namespace: 'default' }, someone)
      expect(again).toMatchObject({ serviceId, changed: false })
      expect(live.view.get('service', serviceId)?.data).not.toContain('namespace')
    }))

  it('is named by no warning about another version in another namespace', () =>
    withRegistry(async ({ registry }) => {
      await registry.register({ ...cart, namespace: 'shop' }, someone)
      const next = { ...cart, version: '2.0.0' }
      expect((await registry.register(next, someone)).warnings).toEqual([])
      const { warnings } = await registry.register({ ...next, namespace: 'shop' }, someone)
      expect(warnings.map(({ code }) => code)).toEqual(['other_version'])
    }))

  it.each(['', 'Shop', 'a_b', 'a.b', 'a b', 'a/b', '@a', 'ä', 'a'.repeat(64), '*'])(
    'is refused with its rule: %j',
    (namespace) => {
      expect(() => parseRegistration({ ...cart, namespace })).toThrow(
        'namespace must have 1 to 63 characters of a-z, 0-9 and -',
      )
    },
  )

  it.each(['a', '-', '0', 'a'.repeat(63), 'kube-system'])('is accepted: %j', (namespace) => {
    expect(parseRegistration({ ...cart, namespace }).registration.namespace).toBe(namespace)
  })

  it('of a dependency is stored only where it is another one than that of the registration', () => {
    const dependencies = [
      'a',
      { serviceName: 'b', namespace: 'shop' },
      { serviceName: 'c', namespace: 'default' },
      { serviceName: 'd', namespace: 'shop', version: '^1' },
    ]
    const stored = (more: object) => parseRegistration({ ...cart, ...more, dependencies }).registration
    const [, shop, base, withVersion] = dependencies
    expect(stored({ namespace: 'shop' }).dependencies).toEqual([
      'a',
      'b',
      base,
      { serviceName: 'd', version: '^1' },
    ])
    expect(stored({}).dependencies).toEqual(['a', shop, 'c', withVersion])
    expect(stored({ namespace: 'default' })).toEqual(stored({}))
  })
})

describe('the list of namespaces', () => {
  it('has each one with its counts, page by page, in order, with `default` among them', async () => {
    const name = fc.constantFrom('default', 'a', 'z', 'shop', '-', 'd', 'e')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, fc.boolean()), { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        (given, limit) =>
          withRegistry(async ({ registry }) => {
            const expected = new Map<string, { services: number; active: number }>()
            for (const [at, [namespace, active]] of given.entries()) {
              const more = active ? { migrationFile: {} } : {}
              await registry.register({ ...cart, instanceId: `${at}`, namespace, ...more }, someone)
              const counts = expected.get(namespace) ?? { services: 0, active: 0 }
              expected.set(namespace, {
                services: counts.services + 1,
                active: counts.active + (active ? 1 : 0),
              })
            }
            const all: unknown[] = []
            let cursor: string | undefined
            do {
              const page = registry.namespaces({ limit, ...(cursor === undefined ? {} : { cursor }) })
              expect(page.total).toBe(expected.size)
              all.push(...page.namespaces)
              cursor = page.nextCursor
              if (cursor !== undefined) expect(page.namespaces).toHaveLength(limit)
            } while (cursor !== undefined)
            const inOrder = [...expected].sort(([left], [right]) => (left < right ? -1 : 1))
            expect(all).toEqual(inOrder.map(([namespace, counts]) => ({ namespace, ...counts })))
          }),
      ),
      { numRuns: 60 },
    )
  })

  it('forgets a namespace with its last service', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, namespace: 'shop' }, someone)
      expect(registry.list(parseListQuery({ namespace: 'shop' })).total).toBe(1)
      await registry.deregister(serviceId, someone)
      expect(registry.namespaces()).toMatchObject({ namespaces: [], total: 0 })
    }))
})

describe('a scope for names', () => {
  it('covers the namespace `default` alone, unless it names another', () =>
    withRegistry(async ({ registry }) => {
      const inShop = { ...cart, namespace: 'shop' }
      for (const [scope, body, allowed] of [
        ['register:cart', cart, true],
        ['register:cart', inShop, false],
        ['register:*', inShop, false],
        ['register:shop/cart', inShop, true],
        ['register:shop/cart', cart, false],
        ['register:shop/*', inShop, true],
        ['register:sh*/cart', inShop, true],
        ['register:*/*', inShop, true],
      ] as const) {
        const write = () => registry.register(body, writtenWith([scope]))
        if (allowed) expect((await write()).serviceId).toEqual(expect.any(String))
        else expect((await errorOf(write)).code).toBe('COORD_SCOPE_MISSING')
      }
      const { detail } = await errorOf(() => registry.register(inShop, writtenWith(['read'])))
      expect(detail).toBe('This needs the scope `register:shop/cart`.')
    }))

  it('for one namespace changes no service of another by its id', () =>
    withRegistry(async ({ registry }) => {
      const { serviceId } = await registry.register({ ...cart, namespace: 'shop', ttlSeconds: 5 }, someone)
      for (const scope of ['register:cart', 'register:*', 'register:other/cart']) {
        const context = writtenWith([scope])
        for (const call of [
          () => registry.deregister(serviceId, context),
          () => registry.heartbeat(serviceId, undefined, context),
          () => registry.submitMigration(serviceId, { migrationFile: {} }, context),
        ])
          expect((await errorOf(call)).code).toBe('COORD_SERVICE_NOT_FOUND')
      }
      const own = writtenWith(['register:shop/cart'])
      expect(registry.heartbeat(serviceId, undefined, own).health).toBe('up')
      expect(await registry.deregister(serviceId, own)).toMatchObject({ changed: true })
    }))
})
