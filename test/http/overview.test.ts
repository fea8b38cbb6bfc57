import { describe, expect, it } from 'vitest'
import demo from '../../examples/data/opentelemetry-demo.json' with { type: 'json' }
import { manyServices } from '../console/browser/records.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

interface Group {
  readonly id: string
  readonly kind: string
  readonly value?: string
  readonly groups?: number
  readonly nodes: number
  readonly unresolved: number
  readonly health: Readonly<Record<string, number>>
  readonly edges: number
}

interface Overview {
  readonly groups: readonly Group[]
  readonly total: number
  readonly edges: readonly { source: string; target: string; edges: number; types: Record<string, number> }[]
  readonly edgesTotal: number
  readonly nodes: number
  readonly complete: boolean
  readonly truncated?: string
  readonly revision: number
}

async function overview({ ask }: ServerScope, query: string): Promise<Overview> {
  const { status, body } = await ask(`/knowledge-graph/overview?${query}`)
  expect([query, status, body.detail]).toEqual([query, 200, undefined])
  return body
}

async function addAll({ ask }: ServerScope, services: readonly object[]): Promise<void> {
  for (let from = 0; from < services.length; from += 500)
    expect((await ask('/register/batch', { json: services.slice(from, from + 500) })).body.failed).toBe(0)
}

/** Two teams: `a` has two services in `shop`, `b` has one; `missing` is not registered; a team owns `c`. */
async function addTeams(scope: ServerScope): Promise<void> {
  const of = (serviceName: string, fields: object) => ({
    ...cart,
    serviceName,
    endpoint: `http://${serviceName}`,
    ...fields,
  })
  await addAll(scope, [
    of('a1', {
      metadata: { owner: 'a', tier: 1 },
      tags: ['x', 'y'],
      dependencies: ['a2', 'b1', 'missing'],
      ttlSeconds: 60,
    }),
    of('a2', { metadata: { owner: 'a', tier: 2 }, tags: ['x'], dependencies: ['b1', 'missing'] }),
    of('b1', { metadata: { owner: 'b' }, dependencies: ['c'] }),
    of('c', { namespace: 'default' }),
  ])
  await scope.ask('/knowledge-graph/nodes/team:t', { method: 'PUT', json: { properties: { tier: 2 } } })
  await scope.ask('/knowledge-graph/edges/team:t,owns,service:c', { method: 'PUT', json: {} })
}

const named = (groups: readonly Group[]) => Object.fromEntries(groups.map(({ id, nodes }) => [id, nodes]))
const lines = (edges: Overview['edges']) =>
  edges.map(({ source, target, edges: count }) => `${source} > ${target} ${count}`)

describe('GET /knowledge-graph/overview', () => {
  it('groups nodes by their owner, and counts the edges between the groups by type', () =>
    withServer(async (scope) => {
      await addTeams(scope)
      const found = await overview(scope, 'groupBy=owner&nodeType=service')
      const health = { up: 0, down: 0, expired: 0, unknown: 0 }
      expect(found.groups).toEqual([
        {
          id: 'value:a',
          kind: 'value',
          value: 'a',
          nodes: 2,
          unresolved: 0,
          health: { ...health, unknown: 2 },
          edges: 1,
        },
        { id: 'none', kind: 'none', nodes: 1, unresolved: 1, health, edges: 0 },
        {
          id: 'value:b',
          kind: 'value',
          value: 'b',
          nodes: 1,
          unresolved: 0,
          health: { ...health, unknown: 1 },
          edges: 0,
        },
        {
          id: 'value:team:t',
          kind: 'value',
          value: 'team:t',
          nodes: 1,
          unresolved: 0,
          health: { ...health, unknown: 1 },
          edges: 0,
        },
      ])
      expect(found.edges).toEqual([
        { source: 'value:a', target: 'none', edges: 2, types: { depends_on: 2 } },
        { source: 'value:a', target: 'value:b', edges: 2, types: { depends_on: 2 } },
        { source: 'value:b', target: 'value:team:t', edges: 1, types: { depends_on: 1 } },
      ])
      expect(found).toMatchObject({
        total: 3,
        edgesTotal: 3,
        nodes: 5,
        complete: true,
        revision: scope.live.view.revision,
      })
    }))

  it('groups by tag, type, namespace, and a member of the metadata or of asserted properties', () =>
    withServer(async (scope) => {
      await addTeams(scope)
      await register(scope, {
        ...cart,
        serviceName: 'far',
        namespace: 'far',
        dependencies: [{ serviceName: 'c', namespace: 'default' }],
      })
      const byTag = await overview(scope, 'groupBy=tag&nodeType=service')
      expect(named(byTag.groups)).toEqual({ none: 4, 'value:x': 2, 'value:y': 1 })
      expect(lines(byTag.edges)).toContain('value:y > value:x 1')
      expect(byTag.groups.find(({ value }) => value === 'x')?.edges).toBe(1)
      expect(named((await overview(scope, 'groupBy=type')).groups)).toEqual({
        'value:service': 6,
        'value:team': 1,
      })
      const byNamespace = await overview(scope, 'groupBy=namespace')
      expect(named(byNamespace.groups)).toEqual({ 'value:default': 6, 'value:far': 1 })
      expect(lines(byNamespace.edges)).toEqual(['value:far > value:default 1'])
      expect(named((await overview(scope, 'groupBy=metadata.tier')).groups)).toEqual({
        none: 4,
        'value:2': 2,
        'value:1': 1,
      })
      expect((await overview(scope, 'groupBy=namespace&namespace=far')).nodes).toBe(2)
      expect((await overview(scope, 'groupBy=owner&edgeType=owns')).edges.map(({ types }) => types)).toEqual([
        { owns: 1 },
      ])
    }))

  it('groups by health, as it is now, and knows none of the past', () =>
    withServer(async (scope) => {
      await addTeams(scope)
      const before = scope.live.view.revision
      const { body } = await scope.ask('/services?name=a1')
      const [{ serviceId }] = body.services
      await scope.ask(`/services/${serviceId}/heartbeat`, { method: 'PUT', json: { status: 'down' } })
      const found = await overview(scope, 'groupBy=health&nodeType=service')
      expect(named(found.groups)).toEqual({ 'value:unknown': 3, 'value:down': 1, none: 1 })
      expect(found.groups.find(({ value }) => value === 'down')?.health).toEqual({
        up: 0,
        down: 1,
        expired: 0,
        unknown: 0,
      })
      await scope.ask(`/services/${serviceId}`, { method: 'DELETE' })
      const past = await overview(scope, `groupBy=health&nodeType=service&asOf=${before}`)
      expect(named(past.groups)).toEqual({ 'value:unknown': 4, none: 1 })
      expect(past.revision).toBe(before)
      expect(named((await overview(scope, 'groupBy=owner&nodeType=service')).groups)['value:a']).toBe(1)
    }))

  it('sums up the groups beyond the limit, and says so', () =>
    withServer(async (scope) => {
      await addAll(scope, demo)
      const all = await overview(scope, 'groupBy=tag')
      const cut = await overview(scope, 'groupBy=tag&limit=2')
      expect([all.complete, cut.complete, cut.truncated, cut.total]).toEqual([
        true,
        false,
        'limit',
        all.total,
      ])
      expect(cut.groups.slice(0, 2)).toMatchObject(
        all.groups.slice(0, 2).map(({ id, nodes }) => ({ id, nodes })),
      )
      expect(cut.groups[2]).toMatchObject({ id: 'others', kind: 'others', groups: all.groups.length - 2 })
      const known = new Set(cut.groups.map(({ id }) => id))
      for (const { source, target } of cut.edges)
        expect([known.has(source), known.has(target)]).toEqual([true, true])
    }))

  it('counts each edge of ten thousand services once, in time', () =>
    withServer(async (scope) => {
      await addAll(scope, manyServices(10_000))
      const { edges: total } = scope.graph.figures
      for (const groupBy of ['owner', 'metadata.system', 'type']) {
        const began = performance.now()
        const found = await overview(scope, `groupBy=${groupBy}`)
        const inside = found.groups.reduce((sum, { edges }) => sum + edges, 0)
        const between = found.edges.reduce((sum, { edges }) => sum + edges, 0)
        expect([groupBy, inside + between, found.nodes]).toEqual([groupBy, total, 10_000])
        expect(performance.now() - began).toBeLessThan(5_000)
      }
    }))

  it.each([
    ['groupBy=', 'query.groupBy'],
    ['groupBy=metadata.', 'query.groupBy'],
    ['', 'query.groupBy'],
    [`groupBy=metadata.${'k'.repeat(257)}`, 'query.groupBy'],
    ['groupBy=owner&limit=2001', 'query.limit'],
    ['groupBy=owner&namespace=A', 'query.namespace'],
  ])('refuses %s', (query, path) =>
    withServer(async ({ ask }) => {
      const { status, body } = await ask(`/knowledge-graph/overview?${query}`)
      expect([status, body.code, body.errors[0].path]).toEqual([400, 'COORD_QUERY_INVALID', path])
    }),
  )
})
