import { describe, expect, it } from 'vitest'
import { mergePatch } from '../../src/graph/asserted/merge-patch.ts'
import { deriveService } from '../../src/graph/derive/derive.ts'
import type { JsonObject, JsonValue } from '../../src/records/canonical-json.ts'

/** What a service called `me` says: edge and target, and what is told about either. */
function derived(data: object): readonly (readonly unknown[])[] {
  const found: unknown[][] = []
  deriveService({ serviceName: 'me', ...data } as JsonObject, (type, target, edge, node) => {
    const details = [...(edge === undefined ? [] : [{ edge }]), ...(node === undefined ? [] : [{ node }])]
    found.push([`${type} ${target}`, ...details])
  })
  return found
}

const of = (migrationFile: object) => derived({ migrationFile }).map(([text]) => text)

describe('what a service says about the graph', () => {
  it('has one node for its name, whatever it declares', () => {
    expect(deriveService({ serviceName: 'a b' }, () => undefined)).toBe('service:a%20b')
    expect(derived({})).toEqual([])
  })

  it('depends on what it names, with the details where there are any', () => {
    const details = { serviceName: 'c', version: '^1', type: 'grpc' }
    expect(derived({ dependencies: ['b', details, { version: '1' }, '', 5, null] })).toEqual([
      ['depends_on service:b'],
      ['depends_on service:c', { edge: details }],
    ])
    expect(derived({ dependencies: 'b' })).toEqual([])
    expect(of({ dependencies: ['b'] })).toEqual(['depends_on service:b'])
  })

  it('has all its nodes in the namespace of the service', () => {
    const file = {
      apis: ['GET /x'],
      calls: [{ service: 'b', path: '/y' }],
      tables: ['t', { name: 'u', database: 'd', access: 'reads' }],
      events: ['e', { name: 'f', role: 'subscribes' }],
      capabilities: ['k'],
      requires: ['l'],
      dependencies: ['b'],
    }
    const placed = { namespace: 'shop', dependencies: ['a'], capabilities: ['pay'], migrationFile: file }
    expect(deriveService({ serviceName: 'me', ...placed }, () => undefined)).toBe('service:@shop:me')
    expect(derived(placed).map(([text]) => text)).toEqual([
      'depends_on service:@shop:a',
      'provides capability:@shop:pay',
      'exposes api:@shop:me:GET:%2Fx',
      'calls api:@shop:b:ANY:%2Fy',
      'owns table:@shop:t',
      'reads table:@shop:d:u',
      'publishes event:@shop:e',
      'subscribes event:@shop:f',
      'provides capability:@shop:k',
      'requires capability:@shop:l',
      'depends_on service:@shop:b',
    ])
  })

  it('needs things of the namespace that it names, and has what it provides in its own', () => {
    const namespace = 'blog'
    const file = {
      apis: [{ path: '/x', namespace }],
      calls: [{ service: 'b', path: '/y', namespace }],
      tables: [
        { name: 't', namespace },
        { name: 't', access: 'reads', namespace },
        { name: 'u', access: 'writes', namespace: 'default' },
      ],
      events: { publishes: [{ name: 'e', namespace }], subscribes: [{ name: 'f', namespace }] },
      capabilities: [{ name: 'k', namespace }],
      requires: [
        { name: 'l', namespace },
        { name: 'm', namespace: null },
      ],
      dependencies: [{ serviceName: 'b', namespace: 'default' }],
    }
    const dependencies = [{ serviceName: 'a', namespace }]
    expect(derived({ namespace: 'shop', dependencies, migrationFile: file }).map(([text]) => text)).toEqual([
      'depends_on service:@blog:a',
      'exposes api:@shop:me:ANY:%2Fx',
      'calls api:@blog:b:ANY:%2Fy',
      'owns table:@shop:t',
      'reads table:@blog:t',
      'writes table:u',
      'publishes event:@shop:e',
      'subscribes event:@blog:f',
      'provides capability:@shop:k',
      'requires capability:@blog:l',
      'requires capability:@shop:m',
      'depends_on service:b',
    ])
  })

  it.each(['Shop', '', 'a b', '@shop', 'x'.repeat(64), 5, {}, ['shop']])(
    'skips a need from what cannot be a namespace: %j',
    (namespace) =>
      expect(
        derived({
          dependencies: [{ serviceName: 'a', namespace }],
          migrationFile: {
            calls: [{ service: 'b', path: '/y', namespace }],
            tables: [{ name: 't', access: 'reads', namespace }],
            events: { subscribes: [{ name: 'f', namespace }] },
            requires: [{ name: 'l', namespace }],
            dependencies: [{ serviceName: 'b', namespace }],
          },
        }),
      ).toEqual([]),
  )

  it('provides capabilities by text, and by text only', () => {
    expect(derived({ capabilities: ['pay', '', 5] })).toEqual([['provides capability:pay']])
  })

  it('exposes APIs under three names, however their method is written', () => {
    const id = 'exposes api:me:GET:%2Fx'
    for (const member of ['apis', 'apiEndpoints', 'endpoints']) {
      expect(of({ [member]: ['GET /x'] })).toEqual([id])
      expect(of({ [member]: ['get /x', ' Get   /x more'] })).toEqual([id, id])
      expect(of({ [member]: [{ method: 'get', path: '/x' }] })).toEqual([id])
    }
    expect(of({ apis: ['/x', { path: '/x' }] })).toEqual([
      'exposes api:me:ANY:%2Fx',
      'exposes api:me:ANY:%2Fx',
    ])
    expect(of({ apis: ['', ' ', {}, { method: 'GET' }, 5] })).toEqual([])
    expect(derived({ migrationFile: { apis: [{ method: 'get', path: '/x', auth: true }] } })).toEqual([
      [id, { node: { method: 'GET', path: '/x', auth: true } }],
    ])
    expect(derived({ migrationFile: { apis: ['get /x'] } })).toEqual([
      [id, { node: { method: 'GET', path: '/x' } }],
    ])
  })

  it('calls APIs of another service, whose name may stand under either member', () => {
    const call = { service: 'b', method: 'post', path: '/y' }
    expect(derived({ migrationFile: { calls: [call] } })).toEqual([['calls api:b:POST:%2Fy', { edge: call }]])
    expect(of({ calls: [{ serviceName: 'b', path: '/y' }] })).toEqual(['calls api:b:ANY:%2Fy'])
    expect(of({ calls: ['GET /y', { service: 'b' }, { path: '/y' }] })).toEqual([])
  })

  it('owns tables unless it says that it reads or writes them', () => {
    const table = { name: 't', database: 'd', access: 'reads' }
    expect(derived({ migrationFile: { tables: ['t', table] } })).toEqual([
      ['owns table:t'],
      ['reads table:d:t', { edge: table }],
    ])
    expect(of({ tables: [{ name: 't', access: 'writes' }] })).toEqual(['writes table:t'])
    const owned = { name: 't', access: 'other' }
    expect(derived({ migrationFile: { tables: [owned] } })).toEqual([['owns table:t', { node: owned }]])
    expect(of({ tables: ['', {}, 5] })).toEqual([])
  })

  it('publishes events unless it says that it reads them, in any of the words for it', () => {
    const publishes = 'publishes event:e'
    const subscribes = 'subscribes event:e'
    expect(of({ events: ['e', { name: 'e' }] })).toEqual([publishes, publishes])
    for (const member of ['role', 'direction']) {
      expect(of({ events: [{ name: 'e', [member]: 'consumes' }] })).toEqual([subscribes])
      expect(of({ events: [{ name: 'e', [member]: 'subscribes' }] })).toEqual([subscribes])
      expect(of({ events: [{ name: 'e', [member]: 'publishes' }] })).toEqual([publishes])
    }
    // The role stands above the direction.
    expect(of({ events: [{ name: 'e', role: 'publishes', direction: 'consumes' }] })).toEqual([publishes])
    expect(of({ events: { publishes: ['e'], subscribes: ['e'], consumes: ['e'], other: ['e'] } })).toEqual([
      publishes,
      subscribes,
      subscribes,
    ])
  })

  it('tells of what it publishes and provides on the node, and of what it needs on the edge', () => {
    const item = (name: string) => ({ name, note: 1 })
    const file = {
      capabilities: [item('c'), 'd'],
      requires: [item('r')],
      events: { publishes: [item('p')], subscribes: [item('s')] },
    }
    expect(derived({ migrationFile: file })).toEqual([
      ['publishes event:p', { node: item('p') }],
      ['subscribes event:s', { edge: item('s') }],
      ['provides capability:c', { node: item('c') }],
      ['provides capability:d'],
      ['requires capability:r', { edge: item('r') }],
    ])
  })
})

describe('a merge patch', () => {
  /** The examples of RFC 7396, appendix A. */
  const examples: readonly (readonly [target: JsonValue, patch: JsonValue, result: JsonValue])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]

  it.each(examples)('of %j by %j gives %j', (target, patch, result) => {
    const before = structuredClone(target)
    expect(mergePatch(target, patch)).toEqual(result)
    expect(target).toEqual(before)
  })
})
