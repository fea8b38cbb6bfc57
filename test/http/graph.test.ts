import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { GraphProcess } from '../../src/graph/past/graph-process.ts'
import { until } from '../support/with-live.ts'
import { register, type ServerScope, withServer } from './with-server.ts'

const demo = JSON.parse(readFileSync('examples/data/opentelemetry-demo.json', 'utf8')) as object[]
const service = (serviceName: string, fields: object = {}) => ({
  serviceName,
  version: '1.0.0',
  endpoint: 'http://host:80',
  ...fields,
})

async function importDemo({ ask }: ServerScope): Promise<void> {
  const { body } = await ask('/register/batch', { json: demo })
  expect(body).toMatchObject({ registered: 28, failed: 0 })
}

describe('the graph over HTTP', () => {
  it('works on no question about the past whose client went before its turn', () =>
    withServer(async (scope) => {
      await importDemo(scope)
      const { run: real } = GraphProcess.prototype
      const built = new Set<number>()
      const { promise: goOn, resolve } = Promise.withResolvers<void>()
      const spy = vi.spyOn(GraphProcess.prototype, 'run')
      spy.mockImplementation(async function (this: GraphProcess, task, argument) {
        if (task === 'put') built.add(argument.key)
        await goOn
        return real.call(this, task, argument)
      })
      const patience = new AbortController()
      const asked = Array.from({ length: 20 }, (_, at) =>
        fetch(`${scope.url}/knowledge-graph/orphans?asOf=${at + 1}`, { signal: patience.signal }),
      )
      // One client has no more than half of the two places.
      await until(() => built.size === 1)
      patience.abort()
      await Promise.allSettled(asked)
      const last = scope.ask('/knowledge-graph/orphans?asOf=25')
      resolve()
      expect(await last).toMatchObject({ status: 200, body: { revision: 25 } })
      expect(built.size).toBe(2)
      expect(scope.log.filter((line) => line.includes('"level":"error"'))).toEqual([])
      spy.mockRestore()
    }))

  it('is sent whole, at one revision, with ETag, under both of its names', () =>
    withServer(async (scope) => {
      await importDemo(scope)
      const { status, headers, body } = await scope.ask('/knowledge-graph')
      expect(status).toBe(200)
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(headers.get('x-coordinator-revision')).toBe('28')
      expect(body.knowledgeGraph.metadata).toMatchObject({
        totalServices: 28,
        activeServices: 0,
        nodes: 28,
        edges: 68,
        revision: 28,
        complete: true,
      })
      expect(body.knowledgeGraph.nodes.length).toBe(28)
      expect(body.knowledgeGraph.edges.length).toBe(68)
      const etag = headers.get('etag') as string
      expect((await scope.ask('/knowledge-graph', { headers: { 'if-none-match': etag } })).status).toBe(304)
      expect((await scope.ask('/graph')).body).toEqual(body)
      expect((await scope.ask('/graph/impact?of=flagd')).body).toEqual(
        (await scope.ask('/knowledge-graph/impact?of=flagd')).body,
      )
    }))

  it.each([
    ['?format=graphml', {}, 'application/graphml+xml; charset=utf-8', '<graphml'],
    ['?format=dot', {}, 'text/vnd.graphviz; charset=utf-8', 'digraph'],
    ['?format=mermaid', {}, 'text/vnd.mermaid; charset=utf-8', 'flowchart LR'],
    ['?format=ndjson', {}, 'application/x-ndjson', '{"metadata"'],
    ['?format=cytoscape', {}, 'application/json; charset=utf-8', '"elements"'],
    [
      '',
      { accept: 'text/vnd.graphviz, application/json;q=0.5' },
      'text/vnd.graphviz; charset=utf-8',
      'digraph',
    ],
    ['', { accept: 'application/graphml+xml' }, 'application/graphml+xml; charset=utf-8', '<graphml'],
    ['', { accept: 'text/html,*/*;q=0.8' }, 'application/json; charset=utf-8', '"knowledgeGraph"'],
  ])('%s with %j comes as %s', (query, headers, type, holds) =>
    withServer(async (scope) => {
      await register(scope)
      const answer = await scope.ask(`/knowledge-graph${query}`, { headers })
      expect(answer.headers.get('content-type')).toBe(type)
      expect(answer.text).toContain(holds)
      expect(answer.text).toContain('cart')
    }),
  )

  it('answers questions, each at its revision, now and as it was', () =>
    withServer(async (scope) => {
      const { ask } = scope
      await importDemo(scope)
      const before = await ask('/knowledge-graph/impact?of=astronomy-db')
      await ask('/register', { json: service('report', { dependencies: ['astronomy-db'] }) })
      const after = await ask('/knowledge-graph/impact?of=astronomy-db&limit=2')
      expect(after.body).toMatchObject({
        success: true,
        total: before.body.total + 1,
        revision: 29,
        complete: false,
        truncated: 'limit',
      })
      expect(after.body.nodes.length).toBe(2)
      const past = await ask('/knowledge-graph/impact?of=astronomy-db&asOf=28')
      expect(past.body).toEqual(before.body)
      expect(past.headers.get('x-coordinator-revision')).toBe('28')
      const { body: paths } = await ask('/knowledge-graph/paths?from=load-generator&to=astronomy-db&limit=1')
      expect(paths.paths[0]).toEqual({
        length: 2,
        nodes: ['service:load-generator', 'service:otel-collector', 'service:astronomy-db'],
      })
      expect((await ask('/knowledge-graph/cycles')).body).toMatchObject({ total: 1, complete: true })
      expect((await ask('/knowledge-graph/cycles?type=exposes')).body).toMatchObject({ total: 0 })
      expect((await ask('/knowledge-graph/critical?limit=3')).body.mostDependedOn[0]).toMatchObject({
        id: 'service:otel-collector',
      })
      expect((await ask('/knowledge-graph/orphans')).body.nodes.map(({ id }: { id: string }) => id)).toEqual([
        'service:opensearch',
      ])
      expect((await ask('/knowledge-graph/unresolved')).body.total).toBe(0)
      const { body: near } = await ask('/knowledge-graph/neighbors?of=quote&direction=in')
      expect(near.nodes.map(({ id }: { id: string }) => id)).toEqual(['service:frontend', 'service:shipping'])
      const { body: diff } = await ask('/knowledge-graph/diff?from=28')
      expect(diff).toMatchObject({ from: 28, to: 29, complete: true, nodesTotal: 1, edgesTotal: 1 })
      expect(diff.commits).toMatchObject([{ revision: 29, actor: 'http:127.0.0.1' }])
    }))

  it('asserts nodes and edges, with preconditions, and keeps them apart from what is derived', () =>
    withServer(async (scope) => {
      const { ask } = scope
      await register(scope)
      const put = await ask('/knowledge-graph/nodes/team:shop', {
        method: 'PUT',
        json: { label: 'Shop', properties: { slack: '#shop' } },
      })
      expect([put.status, put.body]).toMatchObject([
        201,
        { success: true, id: 'team:shop', created: true, changed: true },
      ])
      expect(put.headers.get('location')).toBe('/knowledge-graph/nodes/team%3Ashop')
      const etag = put.headers.get('etag') as string
      const edge = await ask('/knowledge-graph/edges/team:shop,owns,service:cart', {
        method: 'PUT',
        json: {},
      })
      expect(edge.body).toMatchObject({ id: 'team:shop,owns,service:cart,asserted' })
      const read = await ask('/knowledge-graph/nodes/team:shop')
      expect(read.body.node).toEqual({
        id: 'team:shop',
        label: 'Shop',
        type: 'team',
        namespace: 'default',
        data: { properties: { slack: '#shop' } },
      })
      expect(read.headers.get('etag')).toBe(etag)
      expect((await ask('/knowledge-graph/impact?of=team:shop')).body.nodes).toMatchObject([
        { id: 'service:cart', distance: 1 },
      ])
      const stale = {
        method: 'PATCH',
        json: { properties: { x: 1 } },
        headers: { 'if-match': '"00000000-1"' },
      }
      expect((await ask('/knowledge-graph/nodes/team:shop', stale)).status).toBe(412)
      const patched = await ask('/knowledge-graph/nodes/team:shop', {
        ...stale,
        headers: { 'if-match': etag },
      })
      expect(patched.status).toBe(200)
      expect((await ask('/knowledge-graph/nodes/team:shop')).body.node.data.properties).toEqual({
        slack: '#shop',
        x: 1,
      })
      for (const path of ['nodes/team:shop', 'edges/team:shop,owns,service:cart'])
        expect((await ask(`/knowledge-graph/${path}`, { method: 'DELETE' })).status).toBe(200)
      expect((await ask('/knowledge-graph/nodes/team:shop')).status).toBe(404)
      expect((await ask('/knowledge-graph/nodes/service:cart')).status).toBe(200)
    }))

  it('tells who asserted what, also of what was taken back, page by page', () =>
    withServer(async ({ ask }) => {
      const by = (actor: string, method: string, json?: unknown) =>
        ask('/knowledge-graph/nodes/team:a%20b', {
          method,
          headers: { 'x-coordinator-actor': actor },
          ...(json === undefined ? {} : { json }),
        })
      await by('ann', 'PUT', { label: 'A', properties: { x: 1 } })
      await by('bob', 'PATCH', { label: null, properties: { x: 2 } })
      await by('ann', 'DELETE')
      await by('eve', 'PUT', {})
      const path = '/knowledge-graph/nodes/team:a%2520b/history'
      const { status, body } = await ask(path)
      expect(status).toBe(200)
      expect(body).toMatchObject({ success: true, id: 'team:a%20b', complete: true, revision: 4 })
      const told = ({ revision, actor, action, label, properties }: Record<string, unknown>) => [
        ...[revision, actor, action, label, properties],
      ]
      const as = (name: string) => `http:127.0.0.1 as ${name}`
      expect(body.entries.map(told)).toEqual([
        [4, as('eve'), 'asserted', undefined, undefined],
        [3, as('ann'), 'retracted', undefined, undefined],
        [2, as('bob'), 'changed', undefined, { x: 2 }],
        [1, as('ann'), 'asserted', 'A', { x: 1 }],
      ])
      const first = (await ask(`${path}?limit=3`)).body
      expect([first.next, first.complete]).toEqual([2, false])
      const rest = (await ask(`${path}?before=${first.next}`)).body
      expect([rest.entries.map(told), rest.complete]).toEqual([body.entries.slice(3).map(told), true])
      expect((await ask(`${path}?before=1`)).body).toMatchObject({ entries: [] })
      await ask('/knowledge-graph/edges/team:a,knows,team:b', {
        method: 'PUT',
        json: { properties: { y: 1 } },
      })
      expect((await ask('/graph/edges/team:a,knows,team:b/history')).body.entries).toMatchObject([
        { action: 'asserted', properties: { y: 1 } },
      ])
      for (const [unknown, code] of [
        ['nodes/team:never', 'COORD_NODE_NOT_FOUND'],
        ['nodes/x', 'COORD_NODE_NOT_FOUND'],
        ['edges/team:a,knows,team:c', 'COORD_EDGE_NOT_FOUND'],
      ])
        expect(await ask(`/knowledge-graph/${unknown}/history`)).toMatchObject({
          status: 404,
          body: { code },
        })
    }))

  it('a registration is told about its place in the graph, and can be tried without being made', () =>
    withServer(async (scope) => {
      const { ask } = scope
      await ask('/register', { json: service('a', { dependencies: ['b'] }) })
      const closing = service('b', { dependencies: ['a', 'nobody'] })
      const dry = await ask('/register?dryRun=true', { json: closing })
      expect(dry.body).toMatchObject({
        success: true,
        dryRun: true,
        safe: false,
        newCycles: [['service:b', 'service:a']],
        revision: 1,
      })
      expect((await ask('/services')).body.total).toBe(1)
      const { body } = await ask('/register', { json: closing })
      expect(body.warnings.map(({ code }: { code: string }) => code)).toEqual([
        'unknown_dependency',
        'dependency_cycle',
      ])
      const batch = await ask('/register/batch', { json: [closing, service('c')] })
      expect(batch.body.results.map(({ warnings }: { warnings: unknown[] }) => warnings.length)).toEqual([
        2, 0,
      ])
      expect((await ask('/knowledge-graph/simulate', { json: { remove: ['b'] } })).body).toMatchObject({
        safe: false,
        brokenConsumers: [{ id: 'service:a', loses: 'service:b' }],
      })
    }))

  it.each([
    [{ deregister: ['cart'] }, '/deregister'],
    [{ remove: [], Remove: ['cart'] }, '/Remove'],
    [{ changeVersion: [{ serviceName: 'cart', version: '2.0.0', to: '3.0.0' }] }, '/changeVersion/0/to'],
  ])('does not call safe what it did not understand: %j', (json, path) =>
    withServer(async (scope) => {
      await register(scope)
      const { status, body } = await scope.ask('/knowledge-graph/simulate', { json })
      expect(status).toBe(400)
      expect(body).toMatchObject({
        code: 'COORD_FIELD_INVALID',
        errors: [{ path, message: 'is not known here' }],
      })
    }),
  )

  it.each([
    ['/knowledge-graph/impact', 'The parameter of is required.'],
    ['/knowledge-graph/impact?of=', 'The parameter of is empty.'],
    ['/knowledge-graph/paths?from=cart', 'The parameter to is required.'],
    ['/knowledge-graph/diff', 'The parameter from is required.'],
    ['/knowledge-graph/impact?of=a&of=b', 'The parameter of must come only once.'],
    ['/knowledge-graph/impact?of=a&type=', 'The parameter type is empty.'],
    ['/changes?kind=', 'The parameter kind is empty.'],
    [
      '/knowledge-graph?origin=declared&origin=assertd',
      'The parameter origin must be one of declared, asserted, observed.',
    ],
    ['/knowledge-graph?depth=2', 'The parameter depth says how far to go around a node: name it in around.'],
    [
      '/knowledge-graph?direction=in',
      'The parameter direction says how far to go around a node: name it in around.',
    ],
  ])('says in words what is wrong with %s', (path, detail) =>
    withServer(async ({ ask }) => {
      expect((await ask(path)).body).toMatchObject({ code: 'COORD_QUERY_INVALID', detail })
    }),
  )

  it('of the past leaves nothing behind where only its head was wanted, or it was known', () =>
    withServer(async (scope) => {
      const run = vi.spyOn(GraphProcess.prototype, 'run')
      try {
        await register(scope)
        const path = '/knowledge-graph?asOf=1'
        const { headers } = await scope.ask(path)
        expect((await scope.ask(path, { method: 'HEAD' })).status).toBe(200)
        const etag = headers.get('etag') as string
        expect((await scope.ask(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
        const keysOf = (what: string) =>
          run.mock.calls.flatMap(([task, { key }]) => (task === what ? [key] : []))
        expect(keysOf('export')).toHaveLength(3)
        await until(() => keysOf('export').every((key) => keysOf('forget').includes(key)))
      } finally {
        run.mockRestore()
      }
    }))

  it('derives itself anew without a difference', () =>
    withServer(async (scope) => {
      await importDemo(scope)
      expect((await scope.ask('/knowledge-graph/rebuild', { method: 'POST' })).body).toMatchObject({
        nodes: 28,
        edges: 68,
        differencesTotal: 0,
        differences: [],
      })
      // Reading never derives it: that costs much, and is for administrators.
      expect((await scope.ask('/knowledge-graph?rebuild=true')).body.code).toBe('COORD_QUERY_INVALID')
    }))

  it.each([
    ['GET', '/knowledge-graph/impact?of=nobody', 404, 'COORD_NODE_NOT_FOUND'],
    ['GET', '/knowledge-graph/impact', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/impact?of=', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/impact?of=cart&depth=99999999999', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/impact?of=cart&depth=1001', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/impact?of=cart&depth=-1', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/impact?of=cart&limit=0', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/impact?of=cart&asOf=99', 400, 'COORD_REVISION_FUTURE'],
    ['GET', '/knowledge-graph/impact?of=cart&asOf=yesterday', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/impact?of=cart&deph=2', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph?format=pdf', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph?around=nobody', 404, 'COORD_NODE_NOT_FOUND'],
    ['GET', '/knowledge-graph?direction=up', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/paths?from=cart', 400, 'COORD_QUERY_INVALID'],
    ['GET', '/knowledge-graph/diff?from=5&to=1', 400, 'COORD_REVISION_FUTURE'],
    ['GET', '/knowledge-graph/nodes/nobody', 404, 'COORD_NODE_NOT_FOUND'],
    ['GET', '/knowledge-graph/edges/what', 404, 'COORD_EDGE_NOT_FOUND'],
    ['DELETE', '/knowledge-graph/nodes/service:cart', 404, 'COORD_NODE_NOT_FOUND'],
    ['DELETE', '/knowledge-graph/edges/team:a,owns,service:cart', 404, 'COORD_EDGE_NOT_FOUND'],
    ['DELETE', '/knowledge-graph/nodes/%00', 400, 'COORD_NODE_ID_INVALID'],
    ['POST', '/knowledge-graph/simulate', 400, 'COORD_BODY_NOT_JSON'],
    ['PUT', '/knowledge-graph/nodes/team:a', 400, 'COORD_BODY_NOT_JSON'],
    ['POST', '/knowledge-graph', 405, 'COORD_METHOD_NOT_ALLOWED'],
  ])('%s %s is answered %i %s', (method, path, status, code) =>
    withServer(async (scope) => {
      await register(scope)
      const answer = await scope.ask(path, { method })
      expect([answer.status, answer.body.code]).toEqual([status, code])
    }),
  )

  it('is part of the reference, once', () =>
    withServer(async ({ ask }) => {
      const { body } = await ask('/openapi.json')
      const paths = Object.keys(body.paths)
      expect(paths).toContain('/knowledge-graph/impact')
      expect(paths).toContain('/changes')
      expect(paths).not.toContain('/graph/impact')
    }))
})
