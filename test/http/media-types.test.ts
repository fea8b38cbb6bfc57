import { describe, expect, it } from 'vitest'
import { cart, withServer } from './with-server.ts'

const node = '/knowledge-graph/nodes/team:t'
const types = 'application/json, application/merge-patch+json'

describe('http: the type of a body', () => {
  it.each([
    'application/merge-patch+json',
    'Application/Merge-Patch+JSON; charset="utf-8"',
    'application/json',
  ])('of a PATCH may be %s', (type) =>
    withServer(async ({ ask }) => {
      await ask(node, { method: 'PUT', json: { label: 'T', properties: { a: 1, b: 2 } } })
      const headers = { 'content-type': type }
      const { status } = await ask(node, {
        method: 'PATCH',
        json: { properties: { a: null, c: 3 } },
        headers,
      })
      expect([status, (await ask(node)).body.node]).toMatchObject([
        200,
        { label: 'T', data: { properties: { b: 2, c: 3 } } },
      ])
    }),
  )

  it.each([
    'application/vnd.example.registration+json',
    'application/ld+json;profile="x"',
    'application/json; charset=us-ascii',
    'application/json;charset=utf8',
  ])('of a registration may be %s, which is JSON', (type) =>
    withServer(async ({ ask }) => {
      expect((await ask('/register', { json: cart, headers: { 'content-type': type } })).status).toBe(201)
    }),
  )

  it('is refused where it is a JSON patch, and the answer says what to send', () =>
    withServer(async ({ ask, live }) => {
      await ask(node, { method: 'PUT', json: { label: 'T' } })
      const headers = { 'content-type': 'application/json-patch+json' }
      const json = [{ op: 'replace', path: '/label', value: 'U' }]
      const { status, body, headers: answered } = await ask(node, { method: 'PATCH', json, headers })
      expect([status, body.code, body.accept]).toEqual([415, 'COORD_BODY_MEDIA_TYPE', types.split(', ')])
      expect(body.hint).toContain('application/merge-patch+json')
      expect([answered.get('accept'), answered.get('accept-patch')]).toEqual([types, types])
      expect(live.view.revision).toBe(1)
    }))

  it.each([
    ['a merge patch', 'application/merge-patch+json', /whole body/],
    ['a JSON patch', 'application/json-patch+json', /merge patch/],
    ['JSON lines', 'application/x-ndjson', /application\/json/],
    ['something whose name only ends like JSON', 'text/vnd.example+json', /application\/json/],
    ['JSON in another charset', 'application/vnd.example+json; charset=iso-8859-1', /UTF-8/],
    ['a type of endless length', `application/${'x'.repeat(8_000)}+json`, /application\/json/],
  ])('of a registration may not be %s', (_, type, hint) =>
    withServer(async ({ ask, live }) => {
      const answer = await ask('/register', { json: cart, headers: { 'content-type': type } })
      expect([answer.status, answer.body.code]).toEqual([415, 'COORD_BODY_MEDIA_TYPE'])
      expect(answer.body.hint).toMatch(hint)
      expect([answer.headers.get('accept'), answer.headers.get('accept-patch')]).toEqual([
        'application/json',
        null,
      ])
      expect(live.view.revision).toBe(0)
    }),
  )

  it('is named by Accept-Patch where somebody asks for the methods of a path that takes patches', () =>
    withServer(async ({ ask }) => {
      expect((await ask(node, { method: 'OPTIONS' })).headers.get('accept-patch')).toBe(types)
      expect((await ask('/services', { method: 'OPTIONS' })).headers.get('accept-patch')).toBeNull()
    }))

  it('is in the reference', () =>
    withServer(async ({ ask }) => {
      const { paths } = (await ask('/openapi.json')).body
      const of = (path: string, method: string) => Object.keys(paths[path][method].requestBody.content)
      expect(of('/knowledge-graph/nodes/{id}', 'patch')).toEqual(types.split(', '))
      expect(of('/knowledge-graph/nodes/{id}', 'put')).toEqual(['application/json'])
    }))
})
