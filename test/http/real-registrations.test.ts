// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates that were never filled in are what is registered
import { describe, expect, it } from 'vitest'
import { cart, withServer } from './with-server.ts'

const odd = { constructor: { prototype: { polluted: 1 } }, prototype: 1, toString: null }

describe('http: what really runs is registered as it is', () => {
  it.each<[what: string, fields: object]>([
    ['Redis', { endpoint: 'redis://cache:6379' }],
    ['PostgreSQL', { endpoint: 'postgres://db:5432' }],
    ['Kafka', { endpoint: 'tcp://kafka:9092' }],
    ['a socket', { endpoint: 'unix:///run/x.sock' }],
    ['a host with a version in its name', { endpoint: 'http://mysql5.7:3306' }],
    ['an image tag of 71 characters', { version: `sha256:${'0123456789abcdef'.repeat(4)}` }],
    ['a tag of 180 characters', { tags: ['x'.repeat(180)] }],
    [
      'null from a Java client',
      { description: null, instanceId: null, dependencies: [{ serviceName: 'a', type: null }] },
    ],
    ['a health check by another transport', { healthCheck: 'tcp://cart:7070' }],
    ['keys that objects have by themselves', { metadata: odd, migrationFile: odd }],
  ])('%s', (_, fields) =>
    withServer(async ({ ask }) => {
      const json = { ...cart, ...fields }
      const { status, body } = await ask('/register', { json })
      expect({ status, problem: body.detail }).toEqual({ status: 201 })
      expect((await ask('/register/batch', { json: [json] })).body).toMatchObject({ failed: 0 })
      expect((await ask('/register?dryRun=true', { json })).status).toBe(200)
      const stored = (await ask(`/services/${body.serviceId}`)).body.service
      for (const [key, value] of Object.entries(json))
        if (value === null) expect(stored).not.toHaveProperty(key)
        else if (key !== 'dependencies') expect(stored[key]).toEqual(value)
      // What a client has read, it can send.
      expect((await ask('/register', { json: stored })).body).toMatchObject({ changed: false })
    }),
  )

  it('a null where something must be is refused, also in the second stage', () =>
    withServer(async ({ ask }) => {
      const { serviceId } = (await ask('/register', { json: cart })).body
      const problem = { status: 400, body: { code: 'COORD_BODY_WRONG_TYPE' } }
      expect(await ask('/register', { json: { ...cart, version: null } })).toMatchObject(problem)
      const path = `/register/${serviceId}/migration`
      expect(await ask(path, { json: { migrationFile: null } })).toMatchObject(problem)
      const file = {
        tables: null,
        events: { publishes: null },
        apis: [{ path: '/a', method: null }],
        other: null,
      }
      expect(await ask(path, { json: { migrationFile: file } })).toMatchObject({ status: 200 })
      // A registration without the file keeps it, whether it says so or not.
      const again = await ask('/register', { json: { ...cart, migrationFile: null } })
      expect(again.body).toMatchObject({ status: 'active', changed: false })
      expect(
        await ask(`/services/${serviceId}/heartbeat`, { method: 'PUT', json: { status: null } }),
      ).toMatchObject({
        status: 200,
        body: { health: 'up' },
      })
    }))

  it('a template that was never filled in has a warning, in a batch and beforehand, too', () =>
    withServer(async ({ ask }) => {
      const json = { ...cart, endpoint: 'http://${HOST}:8080' }
      const warnings = [{ code: 'looks_unfilled', path: '/endpoint' }]
      expect((await ask('/register?dryRun=true', { json })).body).toMatchObject({ warnings })
      expect(await ask('/register', { json })).toMatchObject({ status: 201, body: { warnings } })
      expect((await ask('/register/batch', { json: [json] })).body.results).toMatchObject([{ warnings }])
    }))

  it('three ways to write one endpoint are one service', () =>
    withServer(async ({ ask }) => {
      for (const endpoint of ['grpc://cart:7070', 'grpc://cart:7070/', 'GRPC://CART:7070'])
        await ask('/register', { json: { ...cart, endpoint } })
      expect((await ask('/services')).body).toMatchObject({ total: 1 })
    }))

  it('versions of images are found by ranges, and what cannot be judged harms nobody', () =>
    withServer(async ({ ask }) => {
      const consumer = (serviceName: string, version: string) => ({
        ...{ ...cart, serviceName: `uses-${serviceName}` },
        dependencies: [{ serviceName, version }],
      })
      const provider = (serviceName: string, version: string) => ({ ...cart, serviceName, version })
      const json = [
        provider('postgres', '14.11'),
        provider('redis', '8.1.9-alpine'),
        provider('web', '1.0.0'),
        consumer('postgres', '>=14'),
        consumer('redis', '^8'),
        consumer('web', '^1'),
      ]
      const batch = await ask('/register/batch', { json })
      expect(batch.body.results.flatMap(({ warnings }: { warnings: unknown[] }) => warnings)).toEqual([])
      expect((await ask('/services?version=14')).body.services).toMatchObject([{ serviceName: 'postgres' }])
      expect((await ask('/services?version=^8')).body.services).toMatchObject([{ serviceName: 'redis' }])
      const simulate = async (serviceName: string, version: string) =>
        (await ask('/knowledge-graph/simulate', { json: { changeVersion: [{ serviceName, version }] } })).body
      expect(await simulate('postgres', '14.12')).toMatchObject({
        safe: true,
        unjudged: 0,
        unjudgedRanges: [],
      })
      expect(await simulate('redis', '8.2-bookworm')).toMatchObject({ safe: true, unjudged: 0 })
      expect(await simulate('redis', '9.0-alpine')).toMatchObject({ safe: false, unjudged: 0 })
      expect(await simulate('web', 'latest')).toMatchObject({
        safe: true,
        violatedRanges: [],
        unjudged: 1,
        unjudgedRanges: [
          { consumer: 'service:uses-web', dependency: 'service:web', range: '^1', versions: ['latest'] },
        ],
      })
    }))
})
