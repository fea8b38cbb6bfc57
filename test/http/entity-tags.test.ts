import { describe, expect, it } from 'vitest'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const node = '/knowledge-graph/nodes/team:t'

/** A node that was written twice: its earlier ETag, and the present one. */
async function writeTwice({ ask }: ServerScope): Promise<{ old: string; now: string }> {
  const put = async (label: string) =>
    (await ask(node, { method: 'PUT', json: { label } })).headers.get('etag') as string
  return { old: await put('S'), now: await put('T') }
}

describe('http: If-Match of a write', () => {
  it.each<[what: string, header: (tags: { old: string; now: string }) => string, status: number]>([
    ['the present tag among others', ({ now }) => `"x", ${now}`, 200],
    ['the present tag before others, with empty elements', ({ old, now }) => `, ${now},,${old} ,`, 200],
    ['the present tag with a health', ({ now }) => `"x",${now.slice(0, -1)}-up"`, 200],
    ['a weak tag, even the present one', ({ now }) => `W/${now}`, 412],
    ['weak tags and older ones', ({ old, now }) => `W/${now}, ${old}, "x"`, 412],
    ['a tag of something else', () => '"x"', 412],
    ['a tag of a list', () => '"00000000-2-0123456789abcdef"', 412],
    ['tags of another history', () => '"00000000-2", "11111111-2"', 412],
    ['no quotes', ({ now }) => now.replaceAll('"', ''), 400],
    ['an end in the middle of a tag', ({ now }) => `${now}, "x`, 400],
    ['no comma between tags', ({ old, now }) => `${old} ${now}`, 400],
    ['* among tags', ({ now }) => `${now}, *`, 400],
    ['nothing but commas', () => ', ,', 400],
    ['a weak sign in lower case', ({ now }) => `w/${now}`, 400],
  ])('with %s', (_, header, status) =>
    withServer(async (scope) => {
      const tags = await writeTwice(scope)
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const { now } = await writeTwice(scope)
        const revision = scope.live.view.revision
        const sent = header({ ...tags, now })
        const answer = await scope.ask(node, {
          method,
          ...(method === 'DELETE' ? {} : { json: { label: `by ${method}` } }),
          headers: { 'if-match': sent },
        })
        const code = status === 412 ? 'COORD_PRECONDITION_FAILED' : 'COORD_HEADER_INVALID'
        expect([method, answer.status, answer.body.code]).toEqual([
          method,
          status,
          status === 200 ? undefined : code,
        ])
        expect(scope.live.view.revision - revision).toBe(status === 200 ? 1 : 0)
      }
    }),
  )

  it('of a service: several tags let it be registered and deregistered, weak ones never do', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const etag = (await scope.ask(`/services/${id}`)).headers.get('etag') as string
      const change = (header: string, version: string) =>
        scope.ask('/register', { json: { ...cart, version }, headers: { 'if-match': header } })
      expect((await change(`W/${etag}`, '1.4.0')).status).toBe(412)
      expect((await change(`"x", ${etag}`, '1.4.0')).status).toBe(200)
      const remove = (header: string) =>
        scope.ask(`/services/${id}`, { method: 'DELETE', headers: { 'if-match': header } })
      const refused = await remove(`W/${etag}, "x"`)
      expect([refused.status, refused.body.outcome, refused.body.actual]).toEqual([412, 'not_written', 1])
      expect(refused.body.hint).toContain('W/')
      expect((await remove(`"x", ${etag}`)).status).toBe(200)
      // It exists no more, so that no tag is right.
      expect((await remove(`"x", ${etag}`)).status).toBe(412)
    }))

  it('with several tags is judged by what the database has, not by a view that is behind', () =>
    withServer(async (scope) => {
      const { now } = await writeTwice(scope)
      await withServer(
        async (other) => {
          const ahead = await other.ask(node, { method: 'PUT', json: { label: 'U' } })
          const newest = ahead.headers.get('etag') as string
          const put = (header: string) =>
            scope.ask(node, { method: 'PUT', json: { label: 'V' }, headers: { 'if-match': header } })
          expect((await put(`${now}, "x"`)).status).toBe(412)
          expect((await put(`${now}, ${newest}`)).status).toBe(200)
        },
        { inner: scope.store },
      )
    }))
})

describe('http: If-None-Match of a write', () => {
  it.each<[what: string, header: (etag: string) => string, status: number]>([
    ['the present tag', (etag) => etag, 412],
    ['the present tag as a weak one', (etag) => `"x", W/${etag}`, 412],
    ['other tags', () => '"x", "00000000-1"', 200],
    ['no quotes', () => 'x', 400],
  ])('with %s', (_, header, status) =>
    withServer(async (scope) => {
      const { now } = await writeTwice(scope)
      const { status: answered } = await scope.ask(node, {
        method: 'PUT',
        json: { label: 'U' },
        headers: { 'if-none-match': header(now) },
      })
      expect(answered).toBe(status)
      expect(scope.live.view.revision).toBe(status === 200 ? 3 : 2)
    }),
  )

  it('with tags lets a record be made, and deleting nothing is 404', () =>
    withServer(async ({ ask }) => {
      const headers = { 'if-none-match': '"x"' }
      expect((await ask(node, { method: 'DELETE', headers })).status).toBe(404)
      expect((await ask(node, { method: 'PUT', json: { label: 'T' }, headers })).status).toBe(201)
    }))
})

describe('http: If-Match of a read', () => {
  it('is compared with the whole ETag of the answer, and a weak one never matches', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const lines = { accept: 'application/x-ndjson' }
      for (const [path, headers] of [
        [`/services/${id}`, {}],
        ['/services', {}],
        ['/services', lines],
        ['/knowledge-graph', {}],
      ] as const) {
        const etag = (await scope.ask(path, { headers })).headers.get('etag') as string
        const read = async (header: string, method = 'GET') =>
          (await scope.ask(path, { method, headers: { ...headers, 'if-match': header } })).status
        for (const method of ['GET', 'HEAD']) {
          expect([
            await read(etag, method),
            await read('*', method),
            await read(`"x", ${etag}`, method),
          ]).toEqual([200, 200, 200])
          expect([
            await read(`W/${etag}`, method),
            await read('"x"', method),
            await read('x', method),
          ]).toEqual([412, 412, 400])
        }
      }
      // It is judged before If-None-Match: RFC 9110, 13.2.2.
      const etag = (await scope.ask(`/services/${id}`)).headers.get('etag') as string
      const headers = { 'if-match': '"x"', 'if-none-match': etag }
      expect((await scope.ask(`/services/${id}`, { headers })).status).toBe(412)
    }))
})
