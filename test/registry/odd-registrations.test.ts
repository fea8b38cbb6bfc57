// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates that were never filled in are what is registered
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import { nameUuid } from '../../src/records/name-uuid.ts'
import { SERVICE_NAMESPACE } from '../../src/records/service/identity.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import type { RegisterAnswer } from '../../src/registry/answers/answers.ts'
import { ContestedIds } from '../../src/registry/contested-ids.ts'
import { LookAlikes } from '../../src/registry/index/look-alikes.ts'
import { skeletonOf } from '../../src/text/skeleton.ts'
import { commitOf } from '../conformance/build.ts'
import { writtenBy, writtenWith } from '../support/written-by.ts'
import { cart, withRegistry } from './with-registry.ts'

const named = (serviceName: string, more: object = {}) => ({ ...cart, serviceName, ...more })
const codesOf = ({ warnings }: Pick<RegisterAnswer, 'warnings'>) => warnings.map(({ code }) => code)

describe('a registration that looks unfilled', () => {
  it.each<[where: string, fields: object]>([
    ['/endpoint', { endpoint: 'http://${HOST}:8080' }],
    ['/endpoint', { endpoint: 'http://cart:7070/{{path}}' }],
    ['/endpoint', { endpoint: 'tcp://$(HOST):9092' }],
    ['/endpoint', { endpoint: 'http://<your-host>:8080' }],
    ['/endpoint', { endpoint: 'http://0.0.0.0:8080' }],
    ['/endpoint', { endpoint: 'http://0:8080' }],
    ['/endpoint', { endpoint: 'grpc://[::]:8080' }],
    ['/endpoint', { endpoint: 'grpc://[0:0::0]/x' }],
    ['/version', { version: '${VERSION}' }],
    ['/serviceName', { serviceName: '{{name}}' }],
    ['/instanceId', { instanceId: '$(hostname)' }],
    ['/healthCheck', { healthCheck: 'http://${HOST}/health' }],
    ['/dependencies/1', { dependencies: ['a', '${DB}'] }],
    ['/dependencies/0/serviceName', { dependencies: [{ serviceName: '<database>', type: 'sql' }] }],
    ['/dependencies/0/version', { dependencies: [{ serviceName: 'a', version: '${RANGE}' }] }],
  ])('in %s is accepted with a warning', (path, fields) => {
    const { warnings } = parseRegistration({ ...cart, ...fields })
    expect(warnings).toEqual([{ code: 'looks_unfilled', path, message: expect.any(String) }])
    // A member that the schema has to read changes nothing.
    expect(parseRegistration({ ...cart, ...fields, tags: null, unknown: 1 }).warnings.slice(1)).toEqual(
      warnings,
    )
  })

  it.each([
    { endpoint: 'http://10.0.0.0:80' },
    { endpoint: 'http://[::1]:80' },
    { endpoint: 'http://0.0.0.0.example:80' },
    { endpoint: 'http://cart:80/{id}' },
    { version: '>=1' },
    { dependencies: [{ serviceName: 'a', version: '<2.0.0 || >3.0.0' }] },
    { serviceName: 'a < b' },
  ])('is not %j', (fields) => {
    expect(parseRegistration({ ...cart, ...fields }).warnings).toEqual([])
  })

  it('gets no more warnings than an answer lists', () => {
    const dependencies = Array.from({ length: 256 }, (_, at) => `\${DB_${at}}`)
    expect(parseRegistration({ ...cart, dependencies }).warnings).toHaveLength(32)
  })
})

describe('a name that looks like another', () => {
  it.each([
    ['cart', 'Cart'],
    ['Cart', 'cart'],
    ['CART', 'Cart'],
    ['cart', 'ｃａｒｔ'],
    ['my cart', 'my\u00a0cart'],
    ['cart', 'cart\u200b'],
    ['cart', ' cart'],
    ['cart', 'ca\u202ert'],
    ['ﬁle', 'file'],
  ])('%j is named when %j is registered, and the other way round', (one, other) =>
    withRegistry(async ({ registry }) => {
      const first = await registry.register(named(one))
      const second = await registry.register(named(other))
      const about = second.warnings.filter(({ serviceId }) => serviceId !== undefined)
      expect(about).toEqual([
        { code: 'look_alike', path: '/serviceName', message: expect.any(String), serviceId: first.serviceId },
      ])
      expect(registry.warningsOf(named(one))).toMatchObject([
        { code: 'look_alike', serviceId: second.serviceId },
      ])
      await registry.deregister(first.serviceId)
      expect((await registry.register(named(other))).warnings.filter(({ serviceId }) => serviceId)).toEqual(
        [],
      )
    }),
  )

  it('shows what nobody sees', () => {
    const { warnings } = parseRegistration(named('cart\u200b ', { dependencies: ['db\u00a0'] }))
    expect(warnings).toMatchObject([
      { code: 'look_alike', path: '/serviceName', message: expect.stringContaining('"cart\\u{200b} "') },
      { code: 'look_alike', path: '/dependencies/0', message: expect.stringContaining('"db\\u{a0}"') },
    ])
  })

  it('is none in another namespace, and none of other letters', () =>
    withRegistry(async ({ registry }) => {
      await registry.register(named('Cart', { namespace: 'shop' }))
      await registry.register(named('саrt'))
      expect((await registry.register(named('cart'))).warnings).toEqual([])
    }))

  it('is not told to those who may not read', () =>
    withRegistry(async ({ registry }) => {
      await registry.register(named('Cart'))
      const context = writtenWith(['register:cart'])
      expect((await registry.register(named('cart'), context)).warnings).toEqual([])
    }))

  it('is found in a batch, too', () =>
    withRegistry(async ({ registry }) => {
      const { results } = await registry.registerBatch([named('Cart'), named('cart'), named('other')])
      expect(results.map((result) => codesOf(result as RegisterAnswer))).toEqual([
        ['look_alike'],
        ['look_alike'],
        [],
      ])
    }))

  it('is found as by comparing the name with every other', () => {
    const name = fc.stringMatching(/^[aA bＢ\u00a0\u200b]{1,3}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), name), { maxLength: 30 }), name, (changes, asked) => {
        const [index, registered] = [new LookAlikes(), new Set<string>()]
        for (const [add, one] of changes) {
          if (add === registered.has(one)) continue
          index[add ? 'add' : 'delete'](one)
          registered[add ? 'add' : 'delete'](one)
        }
        const alike = [...registered].filter((one) => one !== asked && skeletonOf(one) === skeletonOf(asked))
        expect(
          index
            .of(asked)
            .filter((one) => registered.has(one))
            .sort(),
        ).toEqual(alike.sort())
      }),
      { numRuns: 1_000 },
    )
  })

  it('is kept only for so many ways to write one name', () => {
    const index = new LookAlikes()
    for (let at = 0; at < 1_000; at += 1)
      index.add(
        [...'abcdefghij'].map((letter, bit) => ((at >> bit) & 1 ? letter.toUpperCase() : letter)).join(''),
      )
    expect(index.of('abcdefghij')).toHaveLength(16)
  })

  it('keeps no name that looks many times as long as it is, such as one of ligatures', () => {
    const index = new LookAlikes()
    const [long, longest] = [`${'\ufdfa'.repeat(28)}A`, `${'\ufdfa'.repeat(250)}A`]
    for (const name of [long, longest]) index.add(name)
    expect(index.of(skeletonOf(long))).toEqual([long])
    expect(index.of(skeletonOf(longest))).toEqual([])
    index.delete(longest)
    expect(index.of(skeletonOf(long))).toEqual([long])
  })
})

describe('an id that several actors register', () => {
  const by = writtenBy

  it('is contested the second time that it changes hands, and only for the one that takes it', () =>
    withRegistry(async ({ registry }) => {
      const register = async (actor: string) => codesOf(await registry.register(cart, by(actor)))
      expect(await register('a')).toEqual([])
      expect(await register('b')).toEqual([])
      expect(registry.warningsOf(cart, by('a')).map(({ code }) => code)).toEqual(['contested'])
      expect(registry.warningsOf(cart, by('b'))).toEqual([])
      expect(await register('a')).toEqual(['contested'])
      expect(await register('a')).toEqual([])
      expect((await registry.registerBatch([cart], by('c'))).results).toMatchObject([
        { warnings: [{ code: 'contested' }] },
      ])
    }))

  it('is forgotten after a minute', () => {
    let now = 0
    const ids = new ContestedIds(() => now)
    expect(ids.note('id', 'a')).toBe(false)
    expect(ids.note('id', 'b')).toBe(false)
    now = 61_000
    expect(ids.note('id', 'a')).toBe(false)
    now = 62_000
    expect(ids.note('id', 'b')).toBe(false)
    now = 122_000
    expect(ids.note('id', 'a')).toBe(true)
    now = 182_001
    expect(ids.note('id', 'b')).toBe(false)
  })
})

describe('an endpoint that once had another canonical form', () => {
  it('gets a new id, and the warning names the old one', () =>
    withRegistry(async ({ registry, live }) => {
      const old = 'grpc://Cart:7070/'
      const { registration } = parseRegistration({ ...cart, endpoint: old })
      const name = JSON.stringify(['service', 'default', 'cart', cart.version, new URL(old).href])
      const oldId = nameUuid(name, SERVICE_NAMESPACE)
      await live.commit(
        commitOf({ op: 'put', kind: 'service', id: oldId, data: canonicalJson(registration) }),
      )
      const { serviceId, created, warnings } = await registry.register({ ...cart, endpoint: old })
      expect({ created, isOther: serviceId !== oldId }).toEqual({ created: true, isOther: true })
      expect(warnings).toMatchObject([{ code: 'other_version', serviceId: oldId }])
      await registry.deregister(oldId)
      expect((await registry.register({ ...cart, endpoint: 'grpc://cart:7070' })).created).toBe(false)
    }))
})

describe('a range that nothing fulfils', () => {
  it.each([
    ['^1', ['1.4.0'], []],
    ['^1', ['2.0.0', '3.0.0'], ['violated']],
    ['^1', ['latest'], ['unjudged']],
    ['^1', ['latest', '1.0'], []],
    ['no range', ['1.0.0'], ['unjudged']],
    ['^1', [], []],
  ])('%s among %j has the warnings %j', (range, versions, codes) =>
    withRegistry(async ({ registry }) => {
      for (const version of versions) await registry.register({ ...cart, version })
      const consumer = named('web', { dependencies: ['x', { serviceName: 'cart', version: range }] })
      const answer = await registry.register(consumer)
      const judged = answer.warnings.filter(({ code }) => code !== 'unknown_dependency')
      expect(judged.map(({ code }) => code)).toEqual(codes)
      if (judged.length > 0) expect(judged[0]?.path).toBe('/dependencies/1/version')
      const inShop = await registry.register({ ...consumer, namespace: 'shop' })
      expect(codesOf(inShop)).not.toContain('violated')
    }),
  )

  it('is not judged for a registration that would take long', () =>
    withRegistry(async ({ registry }) => {
      const dependencies = Array.from({ length: 256 }, () => ({ serviceName: 'cart', version: '^9' }))
      await registry.registerBatch(
        Array.from({ length: 100 }, (_, at) => ({ ...cart, version: `1.${at}.0` })),
      )
      const answer = await registry.register(named('web', { dependencies }))
      expect(answer.warnings.length).toBe(2)
    }))
})
