import { describe, expect, it } from 'vitest'
import { type Item, itemOf } from '../../../src/cli/import/item.ts'
import { inNamespace } from '../../../src/cli/import/record-namespace.ts'
import { checkedSource, sourceIn, sourceOfFile, withSource } from '../../../src/cli/import/source.ts'

const place = { place: 'line 1' }
const bodyOf = (value: unknown) => itemOf(value, place).value

describe('coordinator import: an item', () => {
  it('of an answer has nothing that only answers have', () => {
    const answer = {
      ...{ serviceId: 's', id: 's', status: 'active', health: 'up', registeredAt: 't', updatedAt: 't' },
      ...{ lastHeartbeat: null, revision: 3, namespace: 'shop', serviceName: 'a', tags: ['x'] },
    }
    expect(bodyOf(answer)).toEqual({ namespace: 'shop', serviceName: 'a', tags: ['x'] })
    const own = { id: 'mine', revision: 'mine', serviceName: 'b' }
    expect(bodyOf(own)).toEqual(own)
    expect(['text', null, 5, []].map(bodyOf)).toEqual(['text', null, 5, []])
  })

  it('of an export is what was stored, under its own id even where the record has a hash of it', () => {
    const times = { revision: 3, createdAt: 't', updatedAt: 't' }
    const service = { kind: 'service', id: 's', ...times, data: { serviceName: 'a' } }
    expect(itemOf(service, place)).toEqual({ ...place, isStored: true, value: { serviceName: 'a' } })
    const node = { kind: 'node', id: 'sha256:5', ...times, data: { id: 'team:a', label: 'A' } }
    expect(itemOf(node, place)).toMatchObject({
      about: { kind: 'node', id: 'team:a' },
      value: { label: 'A' },
    })
    const ends = { source: 'team:a', type: 'owns', target: 'service:b', origin: 'observed' }
    const edge = { kind: 'edge', id: 'sha256:6', ...times, data: { ...ends, properties: { n: 1 } } }
    expect(itemOf(edge, place)).toMatchObject({
      about: { kind: 'edge', id: 'team:a,owns,service:b,observed' },
      value: { properties: { n: 1 } },
    })
  })

  it('of an export that somebody has damaged keeps the id of its record, and is refused if it is of an unknown kind', () => {
    expect(itemOf({ kind: 'node', id: 'team:a', data: 5 }, place)).toMatchObject({ about: { id: 'team:a' } })
    expect(itemOf({ kind: 'edge', id: 'e', data: { source: 1 } }, place)).toMatchObject({
      about: { id: 'e' },
    })
    expect(itemOf({ kind: 'token', id: 't', data: {} }, place)).toMatchObject({
      fault: { code: 'COORD_FIELD_INVALID', reason: expect.stringContaining('"token"') },
    })
  })
})

describe('coordinator import: namespaces', () => {
  const service = (value: object, more: Partial<Item> = {}): Item => ({ ...place, value, ...more })
  const forced = (item: Item) => inNamespace(item, { forced: 'shop' })
  const fallback = (item: Item) => inNamespace(item, { fallback: 'shop' })

  it('--namespace moves what a migration file needs from its own namespace, and nothing else', () => {
    const [own, third, free] = [{ namespace: 'old' }, { namespace: 'third' }, {}]
    const file = (needed: readonly object[], subscribed: readonly object[]) => ({
      calls: needed.map((one) => ({ service: 'a', path: '/x', ...one })),
      dependencies: [...needed.map((one) => ({ serviceName: 'a', ...one })), 'plain'],
      requires: needed.map((one) => ({ name: 'a', ...one })),
      tables: needed.map((one) => ({ name: 'a', access: 'reads', ...one })),
      events: { subscribes: subscribed.map((one) => ({ name: 'a', ...one })), publishes: [own] },
      other: [own],
    })
    const sent = { serviceName: 'x', namespace: 'old', migrationFile: file([own, third], [own, third]) }
    const moved = { serviceName: 'x', namespace: 'shop', migrationFile: file([free, third], [free, third]) }
    expect(forced(service(sent)).value).toEqual(moved)
  })

  it('--namespace moves a registration with the dependencies in its own namespace, and no others', () => {
    const dependencies = [
      'plain',
      { serviceName: 'free' },
      { serviceName: 'own', namespace: 'old', version: '^1' },
      { serviceName: 'third', namespace: 'third' },
    ]
    expect(forced(service({ serviceName: 'a', namespace: 'old', dependencies })).value).toEqual({
      serviceName: 'a',
      namespace: 'shop',
      dependencies: [
        'plain',
        { serviceName: 'free' },
        { serviceName: 'own', version: '^1' },
        dependencies[3],
      ],
    })
    const explicit = { dependencies: [{ serviceName: 'own', namespace: 'default' }] }
    expect(forced(service(explicit)).value).toEqual({
      namespace: 'shop',
      dependencies: [{ serviceName: 'own' }],
    })
  })

  it('--namespace moves assertions, both ends of an edge too, and leaves what is no id as it is', () => {
    const moved = (kind: 'node' | 'edge', id: string) => forced({ ...place, about: { kind, id } }).about?.id
    expect(moved('node', 'team:payments')).toBe('team:@shop:payments')
    expect(moved('node', 'table:@old:db:orders')).toBe('table:@shop:db:orders')
    expect(moved('edge', 'team:a,owns,service:@old:b,observed')).toBe(
      'team:@shop:a,owns,service:@shop:b,observed',
    )
    expect(moved('node', 'no id')).toBe('no id')
    expect(moved('edge', 'no,id')).toBe('no,id')
  })

  it('COORDINATOR_NAMESPACE is for registrations that name none, and never for those of an export', () => {
    expect(fallback(service({ serviceName: 'a' })).value).toMatchObject({ namespace: 'shop' })
    expect(fallback(service({ serviceName: 'a', namespace: 'b' })).value).toMatchObject({ namespace: 'b' })
    expect(fallback(service({ serviceName: 'a' }, { isStored: true })).value).toEqual({ serviceName: 'a' })
    const edge = { kind: 'edge', id: 'team:a,owns,service:@third:b,asserted' } as const
    expect(fallback({ ...place, about: edge }).about?.id).toBe('team:@shop:a,owns,service:@third:b,asserted')
    expect(fallback({ ...place, about: edge, isStored: true }).about).toEqual(edge)
  })

  it('leaves what is no registration as it is', () => {
    for (const value of [null, 'text', 5, []]) expect(forced({ ...place, value }).value).toEqual(value)
    expect(forced(service({ dependencies: 5 })).value).toEqual({ namespace: 'shop', dependencies: 5 })
  })
})

describe('coordinator import: sources', () => {
  it('mark registrations in metadata and assertions in properties, beside what is there', () => {
    const marked = (item: Partial<Item>) => withSource({ ...place, ...item }, 'shop').value
    expect(marked({ value: { serviceName: 'a', metadata: { b: 1 } } })).toEqual({
      serviceName: 'a',
      metadata: { b: 1, 'coordinator.source': 'shop' },
    })
    expect(marked({ value: {}, about: { kind: 'node', id: 'team:a' } })).toEqual({
      properties: { 'coordinator.source': 'shop' },
    })
    for (const value of [null, 5, { metadata: 5 }]) expect(marked({ value })).toEqual(value)
    expect(sourceIn({ kind: 'service', data: { metadata: { 'coordinator.source': 'shop' } } })).toBe('shop')
    expect(sourceIn({ kind: 'edge', data: { properties: { 'coordinator.source': 5 } } })).toBeUndefined()
    expect(sourceIn({ kind: 'node', data: null })).toBeUndefined()
  })

  it('are named after the folder and the file, because many systems have a docker-compose.yml', () => {
    expect(sourceOfFile('/srv/shop/docker-compose.yml')).toBe('shop/docker-compose.yml')
    expect(sourceOfFile('-')).toBeUndefined()
  })

  it.each(['', ' shop', 'a\nb', 'x'.repeat(256)])('cannot be named %j', (text) => {
    expect(() => checkedSource(text)).toThrow(/--source must have/)
  })
})
