import { get, type IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { until } from '../support/with-live.ts'
import { cart, type Reply, register, type ServerScope, withServer } from './with-server.ts'

const node = '/knowledge-graph/nodes/team:t'
const json = 'application/json; charset=utf-8'
const problem = 'application/problem+json; charset=utf-8'

/**
 * Those headers that say what an answer is, and not when or over which connection it came. One of them is in every answer, and
 * left out.
 */
function telling({ headers }: Pick<Reply, 'headers'>): Record<string, string> {
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  const incidental =
    /^(connection|keep-alive|date|transfer-encoding|content-length|x-request-id|x-content-type-options)$/
  return Object.fromEntries([...headers].filter(([name]) => !incidental.test(name)))
}

async function headersOf(scope: ServerScope, path: string, ask = {}): Promise<Record<string, string>> {
  return telling(await scope.ask(path, ask))
}

describe('http: the headers of answers', () => {
  it('name the revision, the history and the form, and how long an answer may be kept', () =>
    withServer(async (scope) => {
      const id = await register(scope, { ...cart, dependencies: ['db'] })
      await scope.ask(node, { method: 'PUT', json: {} })
      const { lineage } = scope.live.view
      const short = lineage.slice(0, 8)
      const at = (revision: number) => ({
        'x-coordinator-revision': String(revision),
        'x-coordinator-lineage': lineage,
      })
      const tagged = (etag: string) => ({ etag, 'cache-control': 'no-cache' })
      const lines = { headers: { accept: 'application/x-ndjson' } }
      expect(await headersOf(scope, `/services/${id}`)).toEqual({
        ...at(2),
        ...tagged(`"${short}-1-unknown"`),
        'content-type': json,
      })
      expect(await headersOf(scope, `/services/${id}?asOf=1`)).toEqual({
        ...at(1),
        ...tagged(`"${short}-1-unknown"`),
        'content-type': json,
      })
      const list = await headersOf(scope, '/services')
      expect(list).toEqual({
        ...at(2),
        ...tagged(list['etag'] as string),
        vary: 'Accept',
        'content-type': json,
      })
      // Another form of the same is another representation: with another tag.
      expect(await headersOf(scope, '/services', lines)).toEqual({
        ...at(2),
        ...tagged((list['etag'] as string).replace(/"$/, '-lines"')),
        vary: 'Accept',
        'content-type': 'application/x-ndjson',
      })
      expect(await headersOf(scope, '/snapshot')).toEqual({
        ...at(2),
        vary: 'Accept',
        'content-type': 'application/x-ndjson',
      })
      expect(await headersOf(scope, `/services/${id}/history`)).toEqual({ ...at(2), 'content-type': json })
      expect(await headersOf(scope, '/changes?after=0')).toEqual({
        ...at(2),
        'cache-control': 'no-store',
        vary: 'Accept',
        'content-type': json,
      })
      const graph = await headersOf(scope, '/knowledge-graph')
      expect(graph).toEqual({
        ...at(2),
        ...tagged(graph['etag'] as string),
        vary: 'Accept',
        'content-type': json,
      })
      expect(graph['etag']).toContain(`${short}-2-json`)
      expect(await headersOf(scope, '/knowledge-graph/impact?of=db')).toEqual({
        ...at(2),
        'content-type': json,
      })
      // The tag of what was asserted is there for If-Match, and not for what is derived or was so once.
      expect(await headersOf(scope, node)).toEqual({ ...at(2), etag: `"${short}-2"`, 'content-type': json })
      expect(await headersOf(scope, `${node}?asOf=2`)).toEqual({ ...at(2), 'content-type': json })
      expect(await headersOf(scope, '/knowledge-graph/nodes/service:cart')).toEqual({
        ...at(2),
        'content-type': json,
      })
      expect(await headersOf(scope, '/services/none')).toEqual({ ...at(2), 'content-type': problem })
    }))

  it('of writes name what was written, and where it is', () =>
    withServer(async (scope) => {
      const { lineage } = scope.live.view
      const short = lineage.slice(0, 8)
      const at = (revision: number) => ({
        'x-coordinator-revision': String(revision),
        'x-coordinator-lineage': lineage,
        'content-type': json,
      })
      const first = await scope.ask('/register', { json: cart })
      const location = `/services/${first.body.serviceId}`
      expect(first.status).toBe(201)
      expect(telling(first)).toEqual({ ...at(1), location, etag: `"${short}-1"` })
      const again = await scope.ask('/register', { json: cart })
      expect([again.status, again.headers.get('location'), again.headers.get('etag')]).toEqual([
        200,
        location,
        `"${short}-1"`,
      ])
      expect((await scope.ask(location)).body.service.serviceId).toBe(first.body.serviceId)
      for (const [kind, id] of [
        ['node', 'team:t'],
        ['edge', 'team:t,owns,service:cart'],
      ] as const) {
        const path = `/knowledge-graph/${kind}s/${encodeURIComponent(id)}`
        const created = await scope.ask(path, { method: 'PUT', json: {} })
        const known = await scope.ask(path, { method: 'PUT', json: {} })
        const patched = await scope.ask(path, { method: 'PATCH', json: { properties: { a: 1 } } })
        expect([created.status, known.status, patched.status]).toEqual([201, 200, 200])
        expect([created.body.created, known.body.created, known.body.changed]).toEqual([true, false, false])
        expect(patched.body).toMatchObject({ created: false, changed: true })
        for (const { headers, body } of [created, known, patched]) {
          expect(headers.get('etag')).toBe(`"${short}-${body.revision}"`)
          const where = headers.get('location') as string
          expect((await scope.ask(where)).body[kind].id).toContain(id)
        }
      }
    }))

  it('forbid to keep what tells of this moment', () =>
    withServer(async ({ ask }) => {
      for (const path of ['/health', '/health/live', '/health/ready', '/database'])
        expect([path, (await ask(path)).headers.get('cache-control')]).toEqual([path, 'no-store'])
      expect((await ask('/health')).headers.get('x-coordinator-revision')).toBe('0')
    }))

  it('of a stream say that it is one, and HEAD answers them without it', () =>
    withServer(async (scope) => {
      await register(scope)
      const accept = 'text/event-stream'
      const stream = await new Promise<IncomingMessage>((resolve, reject) => {
        get(`${scope.url}/changes?after=0`, { headers: { accept }, agent: false }, resolve).on(
          'error',
          reject,
        )
      })
      const expected = {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
        vary: 'Accept',
        // Where it begins, and not where the history is.
        'x-coordinator-revision': '0',
        'x-coordinator-lineage': scope.live.view.lineage,
      }
      expect(stream.headers).toMatchObject(expected)
      stream.destroy()
      const head = await scope.ask('/changes?after=0', { method: 'HEAD', headers: { accept } })
      expect([head.status, head.text, telling(head)]).toEqual([200, '', expected])
    }))

  it('of a large answer name its length to HEAD as to GET, whatever its letters', () =>
    withServer(async (scope) => {
      const metadata = { text: 'é'.repeat(7_000) }
      const services = Array.from({ length: 30 }, (_, at) => ({ ...cart, serviceName: `s${at}`, metadata }))
      expect((await scope.ask('/register/batch', { json: services })).body.failed).toBe(0)
      for (const path of ['/services?limit=30', '/changes?after=0']) {
        const [whole, head] = [await scope.ask(path), await scope.ask(path, { method: 'HEAD' })]
        expect(Buffer.byteLength(whole.text)).toBeGreaterThan(400_000)
        expect([head.text, head.headers.get('content-length')]).toEqual([
          '',
          String(Buffer.byteLength(whole.text)),
        ])
        expect(telling(head)).toEqual(telling(whole))
      }
    }))

  it('of a degraded coordinator have its age in whole seconds', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      scope.store.outage()
      await until(() => scope.live.status.state === 'degraded')
      await until(() => scope.live.figures.ageMs > 1_050)
      const { headers } = await scope.ask(`/services/${id}`)
      expect(headers.get('age')).toMatch(/^[1-9]\d?$/)
      expect(headers.get('x-coordinator-degraded')).toBe('COORD_STORE_UNAVAILABLE')
    }))
})

describe('http: conditions of reads', () => {
  it('are met by HEAD as by GET, and never make a write be left out', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const path = `/services/${id}`
      const etag = (await scope.ask(path)).headers.get('etag') as string
      for (const known of [etag, `W/${etag}`, `"x", W/${etag}`])
        for (const method of ['GET', 'HEAD'])
          expect([
            known,
            method,
            (await scope.ask(path, { method, headers: { 'if-none-match': known } })).status,
          ]).toEqual([known, method, 304])
      const write = await scope.ask('/register', { json: cart, headers: { 'if-none-match': etag } })
      expect([write.status, write.body.code]).toEqual([412, 'COORD_PRECONDITION_FAILED'])
      expect((await scope.ask('/knowledge-graph', { method: 'HEAD' })).text).toBe('')
    }))

  it('of one form of the graph do not hold for another', () =>
    withServer(async ({ ask, ...scope }) => {
      await register({ ask, ...scope })
      const etag = (await ask('/knowledge-graph?format=json')).headers.get('etag') as string
      const asked = async (format: string) =>
        (await ask(`/knowledge-graph?format=${format}`, { headers: { 'if-none-match': etag } })).status
      expect([await asked('json'), await asked('dot')]).toEqual([304, 200])
    }))
})

describe('http: a request that counts on another history', () => {
  it('is refused on every route of the graph and of the journal', () =>
    withServer(async (scope) => {
      await register(scope, { ...cart, dependencies: ['db'] })
      await scope.ask(node, { method: 'PUT', json: {} })
      const edge = '/knowledge-graph/edges/team:t,owns,service:cart'
      const requests: readonly [method: string, path: string, json?: unknown][] = [
        ['GET', '/knowledge-graph'],
        ['GET', '/graph?asOf=1'],
        ...['impact?of=db', 'dependencies?of=cart', 'neighbors?of=cart', 'paths?from=cart&to=db'].map(
          (question) => ['GET', `/knowledge-graph/${question}`] as [string, string],
        ),
        ...['cycles', 'critical', 'unresolved', 'orphans', 'orphans?asOf=1', 'diff?from=0'].map(
          (question) => ['GET', `/knowledge-graph/${question}`] as [string, string],
        ),
        ['GET', node],
        ['GET', `${node}/history`],
        ['GET', '/changes?after=0'],
        ['PUT', node, { label: 'x' }],
        ['PATCH', node, { label: 'x' }],
        ['DELETE', node],
        ['PUT', edge, {}],
        ['POST', '/knowledge-graph/simulate', { remove: ['cart'] }],
        ['POST', '/knowledge-graph/rebuild'],
      ]
      for (const [method, path, body] of requests) {
        const ask = (lineage: string) =>
          scope.ask(path, { method, json: body, headers: { 'x-coordinator-lineage': lineage } })
        const other = await ask('another')
        expect([method, path, other.status, other.body.code]).toEqual([
          method,
          path,
          412,
          'COORD_LINEAGE_CHANGED',
        ])
        expect(scope.live.view.revision).toBe(2)
      }
      for (const [method, path] of requests.filter(([method]) => method === 'GET')) {
        const headers = { 'x-coordinator-lineage': scope.live.view.lineage }
        expect([path, (await scope.ask(path, { method, headers })).status]).toEqual([path, 200])
      }
    }))

  it('does not get an older answer than it asks for on any route', () =>
    withServer(
      async (scope) => {
        const id = await register(scope)
        await scope.ask(node, { method: 'PUT', json: {} })
        for (const path of [
          '/services',
          `/services/${id}`,
          `/services/${id}/history`,
          '/snapshot',
          '/knowledge-graph',
          '/knowledge-graph/orphans',
          '/knowledge-graph/diff?from=0',
          node,
          `${node}/history`,
        ]) {
          const late = await scope.ask(`${path}${path.includes('?') ? '&' : '?'}minRevision=3`)
          expect([path, late.status, late.body.code]).toEqual([path, 504, 'COORD_REVISION_WAIT_TIMEOUT'])
          const there = await scope.ask(`${path}${path.includes('?') ? '&' : '?'}minRevision=2`)
          expect([path, there.status]).toEqual([path, 200])
        }
      },
      { options: { revisionTimeoutMs: 30 } },
    ))
})

describe('http: bodies', () => {
  it.each([
    ['application/json', 'with a byte order mark', '\ufeff'],
    ['application/json; charset=UTF-8', 'with its charset', ''],
    ['application/json;charset="utf8"', 'with the other name of its charset', ''],
  ])('as %s, %s, are read', (type, _, before) =>
    withServer(async ({ ask }) => {
      const { status } = await ask('/register', {
        json: before + JSON.stringify(cart),
        headers: { 'content-type': type },
      })
      expect(status).toBe(201)
    }),
  )

  it('with dryRun=false are registered, with dryRun=true only looked at', () =>
    withServer(async (scope) => {
      const dry = await scope.ask('/register?dryRun=true', { json: cart })
      expect([dry.status, dry.body.dryRun, scope.live.view.revision]).toEqual([200, true, 0])
      expect((await scope.ask('/register?dryRun=false', { json: cart })).status).toBe(201)
      expect((await scope.ask('/register?dryRun=1', { json: cart })).status).toBe(400)
      expect(scope.live.view.revision).toBe(1)
    }))

  it('may name an actor of 256 characters, and none of 257', () =>
    withServer(async ({ ask }) => {
      const by = async (actor: string, serviceName: string) =>
        (
          await ask('/register', {
            json: { ...cart, serviceName },
            headers: { 'x-coordinator-actor': actor },
          })
        ).status
      expect([await by('x'.repeat(256), 'a'), await by('x'.repeat(257), 'b')]).toEqual([201, 400])
    }))
})
