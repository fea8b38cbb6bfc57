import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Grants } from '../../src/access/scopes/grants.ts'
import { parseScope, type Scope } from '../../src/access/scopes/scope.ts'

const scopes: readonly Scope[] = ['read', 'register', 'graph', 'metrics', 'admin']

/** Whether a token with only this scope may register a service. */
function permits(scope: string, name: string, namespace?: string): boolean {
  return new Grants([scope]).mayRegister(name, namespace)
}

describe('a scope', () => {
  it.each(['read', 'graph', 'metrics', 'admin'] as const)('may be %s', (scope) => {
    expect(parseScope(scope)).toBe(scope)
  })

  it.each([
    ['register:cart', 'default', false, 'cart', false],
    ['register:cart*', 'default', false, 'cart', true],
    ['register:*', 'default', false, '', true],
    ['register:shop/cart', 'shop', false, 'cart', false],
    ['register:shop*/cart', 'shop', true, 'cart', false],
    ['register:*/*', '', true, '', true],
    ['register:*/cart', '', true, 'cart', false],
    ['register:a%2Fb', 'default', false, 'a/b', false],
    ['register:a%2fb', 'default', false, 'a/b', false],
    ['register:a%2A', 'default', false, 'a*', false],
    ['register:a%2A*', 'default', false, 'a*', true],
    ['register:%25', 'default', false, '%', false],
    ['register:my%20cart', 'default', false, 'my cart', false],
    ['register:register:read', 'default', false, 'register:read', false],
    ['register:größe', 'default', false, 'größe', false],
    ['register:gr%C3%B6%C3%9Fe', 'default', false, 'größe', false],
    ['register:🦊', 'default', false, '🦊', false],
    ['register:%F0%9F%A6%8A', 'default', false, '🦊', false],
    ['register:a+b', 'default', false, 'a+b', false],
    ['register:..', 'default', false, '..', false],
  ])('%s is read as a pattern', (text, namespace, namespacePrefix, name, namePrefix) => {
    expect(parseScope(text)).toEqual({
      namespace: { text: namespace, prefix: namespacePrefix },
      name: { text: name, prefix: namePrefix },
    })
  })

  it.each([
    '',
    'Read',
    'READ',
    ' read',
    'read ',
    'read\n',
    'write',
    'register',
    'register:',
    'Register:cart',
    'register:/',
    'register:a/',
    'register:/a',
    'register:a/b/c',
    'register://',
    'register:**',
    'register:*a',
    'register:a*b',
    'register:a**',
    'register:*a/b',
    'register:%',
    'register:%2',
    'register:%GG',
    'register:%ff',
    'register:%ED%A0%80',
    'register:%C0%AF',
    'register:a b',
    'register:a\tb',
    'register:a\nb',
    'register:a\0',
    'register:a\u00a0b',
    'register:a\u200bb',
    'register:a\ud800',
    'admin:*',
    '*',
    `register:${'a'.repeat(2_040)}`,
  ])('is not %j', (text) => {
    expect(parseScope(text)).toBeUndefined()
    expect(new Grants([text]).may('read')).toBe(false)
    expect(permits(text, 'a')).toBe(false)
    expect(permits(text, text)).toBe(false)
  })

  it('covers exactly the name that is percent-encoded in it', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(name, name, name, (namespace, service, other) => {
        const scope = `register:${encode(namespace)}/${encode(service)}`
        expect(permits(scope, service, namespace)).toBe(true)
        expect(permits(scope, other, namespace)).toBe(other === service)
        expect(permits(scope, service, other)).toBe(other === namespace)
        expect(permits(`register:${encode(service)}`, service)).toBe(true)
        expect(permits(`register:${encode(service)}`, service, namespace)).toBe(namespace === 'default')
      }),
    )
  })

  it('covers every name with the beginning before its *', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 20 })
    fc.assert(
      fc.property(name, name, (begin, rest) => {
        expect(permits(`register:${encode(begin)}*`, begin + rest)).toBe(true)
        expect(permits(`register:${encode(begin)}*`, `x${begin}`)).toBe(`x${begin}`.startsWith(begin))
        expect(permits(`register:${encode(begin)}*/*`, rest, begin + rest)).toBe(true)
      }),
    )
  })

  it('normalizes neither case nor Unicode', () => {
    expect(permits('register:Cart', 'cart')).toBe(false)
    expect(permits('register:\u00e9', 'e\u0301')).toBe(false)
    expect(permits('register:e\u0301', '\u00e9')).toBe(false)
    expect(permits('register:ｃａｒｔ', 'cart')).toBe(false)
  })
})

describe('grants', () => {
  it.each([
    [['read'], ['read']],
    [['graph'], ['graph']],
    [['metrics'], ['metrics']],
    [['register:a'], ['register']],
    [
      ['read', 'graph'],
      ['read', 'graph'],
    ],
    [['admin'], [...scopes]],
    [[], []],
    [['nonsense', 'Admin', 'register:'], []],
  ])('of %j permit %j', (texts, permitted) => {
    const grants = new Grants(texts)
    expect(scopes.filter((scope) => grants.may(scope))).toEqual(permitted)
  })

  it('of all names in the default namespace permit none elsewhere', () => {
    const grants = new Grants(['register:*'])
    expect(grants.mayRegister('anything')).toBe(true)
    expect(grants.mayRegister('anything', 'default')).toBe(true)
    expect(grants.mayRegister('anything', 'defaults')).toBe(false)
    expect(grants.mayRegister('anything', 'shop')).toBe(false)
  })

  it('of all names in all namespaces permit every service', () => {
    const grants = new Grants(['register:*/*'])
    for (const namespace of [undefined, 'default', 'shop', 'a/b', '*'])
      expect(grants.mayRegister('cart', namespace)).toBe(true)
  })

  it('of an administrator permit every service, those of others none', () => {
    expect(Grants.ALL.mayRegister('cart', 'shop')).toBe(true)
    for (const texts of [['read'], ['graph'], ['metrics'], ['read', 'graph', 'metrics']])
      expect(new Grants(texts).mayRegister('cart')).toBe(false)
    expect(Grants.READ.mayRegister('cart')).toBe(false)
    expect(Grants.NONE.mayRegister('cart')).toBe(false)
  })

  it('of several patterns permit what any of them covers', () => {
    const grants = new Grants(['register:cart', 'register:shop/*', 'read'])
    expect(grants.mayRegister('cart')).toBe(true)
    expect(grants.mayRegister('carts')).toBe(false)
    expect(grants.mayRegister('cart', 'shop')).toBe(true)
    expect(grants.mayRegister('cart', 'shops')).toBe(false)
  })
})

/** `encodeURIComponent` leaves `*` alone, because it has no meaning in a URL. */
function encode(name: string): string {
  return encodeURIComponent(name).replaceAll('*', '%2A')
}
