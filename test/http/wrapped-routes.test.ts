import { describe, expect, it } from 'vitest'
import { withServer } from './with-server.ts'

/** Routes that answer without the records: nothing in them depends on a revision or a history. */
const withoutRecords = [
  'DELETE /tokens/:id',
  'GET /',
  'GET /access',
  'GET /console',
  'GET /console/*',
  'GET /console/assets/:file',
  'GET /console/licenses.txt',
  'GET /database',
  'GET /docs',
  'GET /docs/errors',
  'GET /docs/reference.js',
  'GET /docs/style.css',
  'GET /health',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /openapi.json',
  'GET /register',
  'GET /tokens',
  'POST /tokens',
]

/** What questions need besides `of`. */
const parameters: Readonly<Record<string, string>> = {
  paths: 'from=a&to=b',
  diff: 'from=0',
  overview: 'groupBy=type',
}

describe('http: every route', () => {
  it('that reads or writes records is made by readRoute or writeRoute', () =>
    withServer(async ({ server }) => {
      const names = server.routes.filter(({ kind }) => kind === undefined)
      expect(names.map(({ method, pattern }) => `${method} ${pattern}`).sort()).toEqual(withoutRecords)
      expect(server.routes.filter(({ kind }) => kind === 'read').length).toBeGreaterThan(30)
    }))

  it('that says so changes records, and no other', () =>
    withServer(async ({ server }) => {
      for (const { kind, operation, method, pattern } of server.routes)
        expect([method, pattern, kind === 'write']).toEqual([method, pattern, operation?.writes === true])
    }))

  it('of the records refuses a client that counts on another history, and parameters that it does not have', () =>
    withServer(async ({ ask, server }) => {
      const headers = { 'x-coordinator-lineage': '00000000-0000-4000-8000-000000000000' }
      const json = { properties: {} }
      for (const { kind, method, pattern } of server.routes) {
        if (kind === undefined) continue
        const path = pattern.replace(/:\w+/, 'team:a')
        const question = /(?:impact|dependencies|neighbors|paths|diff|overview)$/.exec(pattern)?.[0]
        const needed = question === undefined ? '' : `?${parameters[question] ?? 'of=a'}`
        const body = method === 'GET' || method === 'DELETE' ? {} : { json }
        const other = await ask(`${path}${needed}`, { method, headers, ...body })
        expect([method, pattern, other.status, other.body?.code]).toEqual([
          ...[method, pattern],
          ...[412, 'COORD_LINEAGE_CHANGED'],
        ])
        const unknown = await ask(`${path}${needed === '' ? '?' : `${needed}&`}nope=1`, { method, ...body })
        expect([method, pattern, unknown.status, unknown.body?.code]).toEqual([
          ...[method, pattern],
          ...[400, 'COORD_QUERY_INVALID'],
        ])
      }
    }))
})
