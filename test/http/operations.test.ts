import { describe, expect, it } from 'vitest'
import type { Inspection } from '../../src/database/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { DatabaseInspection } from '../../src/http/answering/database-inspection.ts'
import { dearness } from '../support/dearness.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { healthyReplica, neverAsked, replicaReport, someReads } from '../support/replica-report.ts'
import { until } from '../support/with-live.ts'
import { cart, register, withServer } from './with-server.ts'

const inspection: Inspection = { serverVersion: '18.4', schemaVersion: 3, details: { host: 'db' } }

describe('http: operations', () => {
  it('health says what it is, and is 200 from the start on', async () => {
    await withServer(async (scope) => {
      await register(scope)
      const { status, body } = await scope.ask('/health')
      expect([status, body.status, body.registeredServices]).toEqual([200, 'ok', 1])
      expect(body.storage).toMatchObject({ backend: 'memory', durable: true, status: 'ready' })
      expect(body.uptime).toBeGreaterThan(0)
    })
    await withServer(
      async ({ ask }) => {
        const { status, body } = await ask('/health')
        expect([status, body.status, body.registeredServices]).toEqual([200, 'starting', 0])
        expect((await ask('/health/live')).status).toBe(200)
        expect((await ask('/health/ready')).status).toBe(503)
        expect((await ask('/database')).body).toMatchObject({ status: 'connecting', viewRevision: 0 })
      },
      { started: false },
    )
  })

  it('while the database is away: reads go on and say their age, readiness for writes ends, recovery needs no restart', () =>
    withServer(async (scope) => {
      using clock = new MovedClock()
      const id = await register(scope)
      scope.store.outage()
      await until(() => scope.live.status.state === 'degraded')
      clock.advance(1_100)
      const read = await scope.ask(`/services/${id}`)
      expect(read.status).toBe(200)
      expect(read.headers.get('x-coordinator-degraded')).toBe('COORD_STORE_UNAVAILABLE')
      expect(Number(read.headers.get('age'))).toBeGreaterThanOrEqual(1)
      const health = await scope.ask('/health')
      expect([health.status, health.body.status, health.body.storage.status]).toEqual([
        200,
        'degraded',
        'degraded',
      ])
      expect(health.body.storage.reason).toMatch(/cannot be reached/)
      expect((await scope.ask('/health/ready')).status).toBe(200)
      const writes = await scope.ask('/health/ready?for=writes')
      expect([writes.status, writes.body.code]).toEqual([503, 'COORD_STORE_UNAVAILABLE'])
      const { body } = await scope.ask('/database')
      expect(body.status).toBe('degraded')
      expect(body.lastErrors[0]).toMatchObject({
        code: 'COORD_STORE_UNAVAILABLE',
        detail: 'The test has cut the connection.',
      })
      expect(body.lastErrors.length).toBeLessThanOrEqual(20)
      scope.store.heal()
      await until(() => scope.live.status.state === 'ready')
      expect((await scope.ask('/health/ready?for=writes')).status).toBe(200)
      expect((await scope.ask(`/services/${id}`)).headers.get('x-coordinator-degraded')).toBeNull()
    }))

  it('names why it is degraded now, and not what went wrong before', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      scope.store.outage()
      await until(() => scope.live.status.state === 'degraded')
      scope.store.heal()
      await until(() => scope.live.status.state === 'ready')
      // The view is to be built anew, and that takes its time.
      scope.store.always({ does: 'hang' }, 'load')
      const head = await scope.store.inner.head()
      scope.store.next('changes', { does: 'answer', value: { status: 'compacted', head } })
      await until(() => scope.live.status.state === 'degraded')
      const { headers } = await scope.ask(`/services/${id}`)
      expect(headers.get('x-coordinator-degraded')).toBe('reloading')
    }))

  it('database tells positions, latencies, and what the server is', () =>
    withServer(
      async (scope) => {
        await register(scope)
        const { body } = await scope.ask('/database')
        expect(body).toMatchObject({
          backend: 'memory',
          durable: true,
          status: 'ready',
          lineage: scope.live.view.lineage,
          headRevision: 1,
          viewRevision: 1,
          lagRevisions: 0,
          floorRevision: 0,
          waitingWrites: 0,
          refusedCount: 0,
          server: { serverVersion: '18.4', schemaVersion: 3, details: { host: 'db' } },
        })
        expect(body.latency.commit.count).toBe(1)
        expect(body.latency.commit.p99Ms).toBeGreaterThanOrEqual(body.latency.commit.p50Ms)
      },
      { inspector: { inspect: async () => inspection } },
    ))

  it('database shows what it knew before, and why it knows nothing newer', async () => {
    let fails = false
    const inspect = async () => {
      if (fails) throw new CoordinatorError('COORD_STORE_UNAVAILABLE', { detail: 'Gone.' })
      return inspection
    }
    const asked = new DatabaseInspection({ inspect }, { freshMs: 0 })
    expect((await asked.latest()).known).toMatchObject(inspection)
    fails = true
    const later = await asked.latest()
    expect([later.known?.serverVersion, later.unknown]).toEqual(['18.4', 'Gone.'])
    fails = false
    expect(await asked.latest()).not.toHaveProperty('unknown')
  })

  it('database asks a server seldom, and once for all who ask at the same time', async () => {
    let count = 0
    const answered = Promise.withResolvers<void>()
    const inspect = async () => {
      count += 1
      await answered.promise
      return inspection
    }
    const asked = new DatabaseInspection({ inspect })
    const answers = Promise.all([asked.latest(), asked.latest(), asked.latest()])
    answered.resolve()
    await answers
    await asked.latest()
    expect(count).toBe(1)
  })

  it('database is answered within about a second where the server hangs', () =>
    withServer(
      async ({ ask }) => {
        const started = performance.now()
        const { body } = await ask('/database')
        expect(performance.now() - started).toBeLessThan(3_000 * dearness())
        expect(body.serverUnknown).toMatch(/did not answer within/)
      },
      { inspector: { inspect: () => new Promise(() => undefined) } },
    ))

  it('database lists records that were changed by hand into something invalid', () =>
    withServer(async (scope) => {
      const write = { op: 'put', kind: 'service', id: 'by-hand', data: '{"serviceName":1}' } as const
      const commitId = '00000000-0000-4000-8000-000000000001'
      await scope.live.commit({ commitId, actor: 'sql:someone', writes: [write as never] })
      const { body } = await scope.ask('/database')
      expect(body.refusedCount).toBe(1)
      expect(body.refusedRecords).toMatchObject([{ kind: 'service', id: 'by-hand', revision: 1 }])
      expect(body.refusedRecords[0].reason).toMatch(/serviceName/)
      expect((await scope.ask('/services/by-hand')).status).toBe(404)
    }))

  it('database tells of each replica what it is, how far it is behind and why it fails, and what became of the reads', async () => {
    const failure = new CoordinatorError('COORD_STORE_UNAVAILABLE', { detail: 'Refused.', hint: 'Start it.' })
    const report = replicaReport(
      [healthyReplica, { ...healthyReplica, state: 'failed', failure }, neverAsked('10.0.0.4:5432')],
      someReads,
    )
    await withServer(
      async ({ ask }) => {
        const { body } = await ask('/database')
        const healthy = {
          ...{ host: '10.0.0.2:5432', role: 'standby', state: 'answered', revision: 40, lagRevisions: 0 },
          answeredAt: '2026-01-02T03:04:05.000Z',
          connections: { idle: 2, used: 1, waiting: 0, max: 3 },
        }
        expect(body.replicas).toEqual([
          healthy,
          {
            ...{ ...healthy, state: 'failed' },
            failure: { code: 'COORD_STORE_UNAVAILABLE', detail: 'Refused.' },
          },
          { host: '10.0.0.4:5432', role: 'unknown', state: 'unknown' },
        ])
        expect(body.replicaReads).toEqual(report.reads)
      },
      { figures: { replicas: () => report } },
    )
  })

  it('database tells nothing of replicas where there are none', () =>
    withServer(async ({ ask }) => {
      const { body } = await ask('/database')
      expect(Object.keys(body).filter((name) => name.startsWith('replica'))).toEqual([])
    }))

  it('metrics count requests by route pattern, never by path', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      await scope.ask(`/services/${id}`)
      await scope.ask('/services/unknown-id')
      await scope.ask('/not-a-path')
      await scope.ask('/register', { json: '{' })
      const { headers, text } = await scope.ask('/metrics')
      expect(headers.get('content-type')).toMatch(/^text\/plain/)
      const count = (method: string, route: string, status: number) =>
        text.includes(
          `coordinator_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"} 1\n`,
        )
      expect(count('POST', '/register', 201)).toBe(true)
      expect(count('POST', '/register', 400)).toBe(true)
      expect(count('GET', '/services/:serviceId', 200)).toBe(true)
      expect(count('GET', '/services/:serviceId', 404)).toBe(true)
      expect(count('other', 'none', 404)).toBe(true)
      for (const path of [id, 'unknown-id', 'not-a-path']) expect(text).not.toContain(path)
    }))

  it('requests are logged where that is wanted, without their bodies', () =>
    withServer(
      async (scope) => {
        await register(scope, { ...cart, description: 'only in the body' })
        await until(() => scope.log.some((line) => line.includes('"url":"/register"')))
        const line = scope.log.find((entry) => entry.includes('"url":"/register"')) ?? ''
        expect(JSON.parse(line)).toMatchObject({
          ...{ level: 'info', method: 'POST', status: 201, address: '127.0.0.1' },
        })
        expect(scope.log.join('\n')).not.toContain('only in the body')
      },
      { logRequests: true },
    ))
})
