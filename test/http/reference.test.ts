import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { ERRORS } from '../../src/errors.ts'
import {
  batchAnswerSchema,
  databaseAnswerSchema,
  deregisterAnswerSchema,
  healthAnswerSchema,
  heartbeatAnswerSchema,
  historyAnswerSchema,
  listAnswerSchema,
  problemSchema,
  registerAnswerSchema,
  serviceAnswerSchema,
} from '../../src/http/answering/schemas.ts'
import type { OpenApiDocument, OpenApiOperation } from '../../src/http/reference/openapi.ts'
import { healthyReplica, replicaReport } from '../support/replica-report.ts'
import { type Ask, cart, register, withServer } from './with-server.ts'

const connections = healthyReplica.connections ?? { idle: 0, used: 0, waiting: 0, max: 0 }
const figures = {
  pool: () => ({ writer: connections, follower: connections, reader: connections }),
  replicas: () => replicaReport(),
}

describe('http: the reference', () => {
  it('is valid OpenAPI 3.1', () =>
    withServer(async ({ ask }) => {
      const validator = new Validator()
      const { valid, errors } = await validator.validate((await ask('/openapi.json')).body)
      expect([valid, errors]).toEqual([true, undefined])
      expect(validator.version).toBe('3.1')
    }))

  it('refers to nothing that it does not hold, and names every operation once', () =>
    withServer(async ({ ask }) => {
      const { text, body } = await ask('/openapi.json')
      for (const [, kind, name] of text.matchAll(/"\$ref":"#\/components\/(\w+)\/([\w-]+)"/g))
        expect(body.components[kind as string]).toHaveProperty([name as string])
      expect(text.match(/"\$ref":"(?!#\/components\/)/)).toBeNull()
      const operations = Object.values((body as OpenApiDocument).paths).flatMap((methods) =>
        Object.values(methods),
      )
      const ids = operations.map(({ operationId }) => operationId)
      expect(new Set(ids).size).toBe(ids.length)
      for (const path of [
        '/register',
        '/register/batch',
        '/register/{serviceId}/migration',
        '/services',
        '/registry',
        '/services/{serviceId}',
        '/services/{serviceId}/history',
        '/services/{serviceId}/heartbeat',
        '/snapshot',
        '/health',
        '/health/live',
        '/health/ready',
        '/metrics',
        '/database',
        '/openapi.json',
        '/docs',
      ])
        expect(body.paths).toHaveProperty([path])
    }))

  it('names what refuses a request before its route does, and what ends a question', () =>
    withServer(async ({ ask }) => {
      const { paths } = (await ask('/openapi.json')).body as OpenApiDocument
      const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
      for (const { responses } of operations) {
        expect(responses).toHaveProperty('421')
        expect(responses).toHaveProperty('403')
      }
      const textOf = (path: string, method: string) => JSON.stringify(paths[path]?.[method]?.responses)
      for (const path of ['/services', '/services/{serviceId}/history', '/changes', '/knowledge-graph/diff'])
        for (const code of ['COORD_QUESTION_TOO_LARGE', 'COORD_PAST_BUSY'])
          expect(textOf(path, 'get'), path).toContain(code)
      for (const code of [
        'COORD_REQUEST_TIMEOUT',
        'COORD_RECEIVE_FULL',
        'COORD_NUMBER_TOO_LARGE',
        'COORD_MEMORY_FULL',
      ])
        expect(textOf('/register', 'post')).toContain(code)
    }))

  it('names ETag and Location where they are sent, and If-None-Match where it is taken', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const node = { method: 'PUT', json: { properties: {} } }
      expect((await scope.ask('/knowledge-graph/nodes/team:a', node)).status).toBe(201)
      const document = (await scope.ask('/openapi.json')).body as OpenApiDocument
      const asked: [path: string, template: string, ask?: Ask][] = [
        ['/register', '/register', { json: cart }],
        ['/register/batch', '/register/batch', { json: [cart] }],
        [`/register/${id}/migration`, '/register/{serviceId}/migration', { json: { migrationFile: {} } }],
        ['/knowledge-graph/nodes/team:a', '/knowledge-graph/nodes/{id}', node],
        ['/knowledge-graph/nodes/team:a', '/knowledge-graph/nodes/{id}'],
        ['/knowledge-graph', '/knowledge-graph'],
        ['/knowledge-graph/impact?of=cart', '/knowledge-graph/impact'],
        ['/register', '/register'],
        ['/services', '/services'],
        ['/registry', '/registry'],
        [`/services/${id}/history`, '/services/{serviceId}/history'],
        ['/changes', '/changes'],
        ['/snapshot', '/snapshot'],
        [`/services/${id}/heartbeat`, '/services/{serviceId}/heartbeat', { method: 'PUT' }],
        [`/services/${id}`, '/services/{serviceId}'],
        [`/services/${id}`, '/services/{serviceId}', { method: 'DELETE' }],
      ]
      for (const [path, template, ask = {}] of asked) {
        const method = ask.method ?? (ask.json === undefined ? 'GET' : 'POST')
        const operation = document.paths[template]?.[method.toLowerCase()] as OpenApiOperation
        const { parameters = [], responses } = operation
        const { status, headers } = await scope.ask(path, ask)
        const described = Object.keys((responses[status] as { headers: object }).headers)
        for (const name of ['ETag', 'Location'])
          expect([method, path, name, described.includes(name)]).toEqual([
            method,
            path,
            name,
            headers.has(name),
          ])
        if (method !== 'GET') continue
        const again = await scope.ask(path, { headers: { 'if-none-match': headers.get('etag') ?? '*' } })
        const conditional = parameters.some(({ name }) => name === 'If-None-Match')
        expect([path, again.status]).toEqual([path, conditional ? 304 : 200])
      }
    }))

  it('describes the answers as they are: nothing missing, nothing more', () =>
    withServer(
      async (scope) => {
        const holds = (schema: z.ZodType, body: unknown) => expect(schema.parse(body)).toEqual(body)
        const full = {
          ...cart,
          description: 'x',
          metadata: { team: 'a' },
          dependencies: ['b', { serviceName: 'c', type: 'grpc' }],
          ttlSeconds: 10,
          migrationFile: { tables: ['t'] },
        }
        const headers = { 'idempotency-key': 'k' }
        holds(registerAnswerSchema, (await scope.ask('/register', { json: full, headers })).body)
        holds(registerAnswerSchema, (await scope.ask('/register', { json: full, headers })).body)
        const id = await register(scope, { ...cart, unknown: 1 })
        holds(batchAnswerSchema, (await scope.ask('/register/batch', { json: [cart, {}, full] })).body)
        holds(
          registerAnswerSchema,
          (await scope.ask(`/register/${id}/migration`, { json: { migrationFile: {} } })).body,
        )
        holds(heartbeatAnswerSchema, (await scope.ask(`/services/${id}/heartbeat`, { method: 'PUT' })).body)
        holds(serviceAnswerSchema, (await scope.ask(`/services/${id}`)).body)
        holds(listAnswerSchema, (await scope.ask('/services?limit=1')).body)
        holds(historyAnswerSchema, (await scope.ask(`/services/${id}/history?limit=1`)).body)
        holds(healthAnswerSchema, (await scope.ask('/health')).body)
        holds(databaseAnswerSchema, (await scope.ask('/database')).body)
        holds(deregisterAnswerSchema, (await scope.ask(`/services/${id}`, { method: 'DELETE' })).body)
        holds(problemSchema, (await scope.ask('/register', { json: {} })).body)
        scope.store.outage()
        holds(problemSchema, (await scope.ask('/register', { json: { ...cart, tags: ['x'] } })).body)
        holds(healthAnswerSchema, (await scope.ask('/health')).body)
        holds(databaseAnswerSchema, (await scope.ask('/database')).body)
      },
      { durable: false, options: { commitTimeoutMs: 100 }, figures },
    ))

  it('describes numbers in the query string as integers, with the bounds and defaults that are kept', () =>
    withServer(async (scope) => {
      await register(scope)
      const document = (await scope.ask('/openapi.json')).body as OpenApiDocument
      const met = new Set<string>()
      for (const [path, { get }] of Object.entries(document.paths)) {
        const parameters = get?.parameters?.filter(({ in: place }) => place === 'query') ?? []
        const needed = parameters.flatMap(({ name, required, example }) =>
          required ? [`${name}=${example}`] : [],
        )
        // There is something behind this revision, so that nobody waits for it.
        if (path === '/changes') needed.push('after=0')
        if (path === '/knowledge-graph' || path === '/graph') needed.push('around=nothing')
        for (const { name, schema } of parameters.filter(({ schema: { type } }) => type === 'integer')) {
          const { minimum = 0, maximum, default: fallback = minimum } = schema as Record<string, number>
          const isTaken = async (value: number) => {
            const query = [...needed, `${name}=${value}`].join('&')
            return (
              (await scope.ask(`${path.replaceAll(/[{}]/g, '')}?${query}`)).body?.code !==
              'COORD_QUERY_INVALID'
            )
          }
          expect([
            path,
            name,
            await isTaken(minimum),
            await isTaken(fallback),
            await isTaken(minimum - 1),
          ]).toEqual([path, name, true, true, false])
          if (maximum !== undefined)
            expect([path, name, await isTaken(maximum), await isTaken(maximum + 1)]).toEqual([
              path,
              name,
              true,
              false,
            ])
          met.add(name)
        }
      }
      expect([...met].sort()).toEqual(['before', 'buckets', 'depth', 'limit', 'minRevision', 'wait'])
      expect((await scope.ask('/docs')).text).toContain('integer · 1 to 1000 · default 100')
    }))

  it('says what a credential needs for each operation, and which errors there are about it', () =>
    withServer(async ({ ask, server }) => {
      const document = (await ask('/openapi.json')).body as OpenApiDocument
      expect(document.components['securitySchemes']).toMatchObject({
        token: { type: 'http', scheme: 'bearer' },
      })
      const operationAt = (method: string, path: string) => document.paths[path]?.[method]
      expect(operationAt('get', '/health/live')?.security).toEqual([])
      expect(operationAt('get', '/access')?.security).toEqual([{ token: [] }])
      expect(operationAt('get', '/health')?.security).toEqual([{ token: ['read'] }, { token: ['metrics'] }])
      expect(operationAt('delete', '/tokens/{id}')?.security).toEqual([{ token: ['admin'] }])
      const registering = operationAt('post', '/register')
      expect(registering?.security).toEqual([{ token: ['register'] }, { token: ['read'] }])
      expect(registering?.description).toContain('With `dryRun=true`, it takes the scope `read` instead.')
      for (const { method, pattern, operation } of server.routes) {
        if (operation === undefined || operation.hidden) continue
        const described = operationAt(method.toLowerCase(), pattern.replaceAll(/:(\w+)/g, '{$1}'))
        const statuses = Object.keys(described?.responses ?? {})
        const expected = operation.scope === 'public' ? [] : ['401', '403', '429', '503']
        expect({ pattern, statuses }).toEqual({ pattern, statuses: expect.arrayContaining(expected) })
        expect(statuses.includes('401')).toBe(operation.scope !== 'public')
      }
    }))

  it('is a page that shows every operation and needs nothing from elsewhere', () =>
    withServer(
      async ({ ask, url }) => {
        const { headers, text } = await ask('/docs')
        expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
        expect(headers.get('content-security-policy')).toContain("default-src 'none'")
        const document = (await ask('/openapi.json')).body as OpenApiDocument
        for (const methods of Object.values(document.paths))
          for (const { operationId } of Object.values(methods))
            expect(text).toContain(`<article id="${operationId}"`)
        for (const path of ['/docs', '/docs/', '/docs/errors', '/docs/errors/', '/']) {
          const page = await ask(path, { headers: { accept: 'text/html' } })
          expect(page.text.match(/<style|<script>|style="|\son\w+="|url\(|@import/g)).toBeNull()
          for (const [, link = ''] of page.text.matchAll(/(?:src|href)="(?!#|data:)([^"]*)"/g)) {
            expect(link).toMatch(/^\.\.?\//)
            const target = new URL(link, url + path)
            expect([path, link, (await ask(target.pathname)).status]).toEqual([path, link, 200])
          }
        }
      },
      { settings: { console: false } },
    ))

  it('explains every error code under the address that its problems name', () =>
    withServer(async ({ ask }) => {
      const { text } = await ask('/docs/errors')
      for (const code of Object.keys(ERRORS)) expect(text).toContain(`id="${code}"`)
    }))

  it('begins with a page for a browser without a console, and with links as JSON for others', () =>
    withServer(
      async ({ ask }) => {
        const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
        expect((await ask('/', { headers: { accept } })).text).toMatch(/^<!doctype html>/)
        const { body } = await ask('/')
        expect(body.links).toMatchObject({ services: '/services', knowledgeGraph: '/knowledge-graph' })
        for (const link of Object.values(body.links as Record<string, string>))
          expect([link, (await ask(link)).status]).toEqual([link, 200])
      },
      { settings: { console: false } },
    ))
})
