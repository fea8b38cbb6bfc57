import { describe, expect, it } from 'vitest'
import { Live } from '../../src/live/live.ts'
import { domain } from '../../src/registry/domain.ts'
import { Registry } from '../../src/registry/registry.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import { until } from '../support/with-live.ts'
import { writtenBy } from '../support/written-by.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const names = (body: { services: { serviceName: string }[] }) =>
  body.services.map(({ serviceName }) => serviceName)

/** Registers behind the server's back, as another coordinator on the same database does. */
async function elsewhere({ store }: ServerScope, serviceName: string): Promise<void> {
  const other = new Live(new FaultyStore(store.inner), domain)
  await other.start()
  await new Registry(other).register({ ...cart, serviceName }, writtenBy('elsewhere'))
  await other.stop()
}

/** Later moments differ from those before. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now()
  await until(() => Date.now() > now)
}

describe('http: reading', () => {
  it('names revision and history in every answer about the records, and none before the first load', async () => {
    await withServer(async (scope) => {
      const id = await register(scope)
      const { lineage } = scope.live.view
      for (const path of [
        '/services',
        '/registry',
        `/services/${id}`,
        `/services/${id}/history`,
        '/snapshot',
        '/services/none',
      ]) {
        const { headers } = await scope.ask(path)
        expect([path, headers.get('x-coordinator-revision'), headers.get('x-coordinator-lineage')]).toEqual([
          path,
          '1',
          lineage,
        ])
        expect(headers.get('x-coordinator-degraded')).toBeNull()
      }
    })
    await withServer(
      async ({ ask }) => {
        const { status, headers, body } = await ask('/services')
        expect([status, body.code]).toEqual([503, 'COORD_NOT_LOADED'])
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
        expect(headers.get('x-coordinator-revision')).toBeNull()
      },
      { started: false },
    )
  })

  it('answers 304 without a body while nothing has changed', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      for (const path of [`/services/${id}`, '/services', '/services?tag=none']) {
        const etag = (await scope.ask(path)).headers.get('etag') ?? ''
        expect(etag).toMatch(/^"[\w-]+"$/)
        for (const known of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
          const { status, text, headers } = await scope.ask(path, { headers: { 'if-none-match': known } })
          expect([path, known, status, text]).toEqual([path, known, 304, ''])
          expect(headers.get('etag')).toBe(etag)
        }
        expect((await scope.ask(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
      }
      const before = (await scope.ask('/services')).headers.get('etag') ?? ''
      await register(scope, { ...cart, serviceName: 'other' })
      expect((await scope.ask('/services', { headers: { 'if-none-match': before } })).status).toBe(200)
    }))

  it('answers 200 to a reader that waits for a change where only the health has changed', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      await register(scope, { ...cart, serviceName: 'other' })
      const ndjson = { accept: 'application/x-ndjson' }
      const questions = [
        [`/services/${id}`, {}],
        ['/services', {}],
        ['/services?name=cart&fields=serviceName,health', {}],
        ['/services', ndjson],
      ] as const
      for (const status of ['up', 'down']) {
        const known = []
        for (const [path, headers] of questions)
          known.push([path, headers, (await scope.ask(path, { headers })).headers.get('etag') ?? ''] as const)
        const beat = () => scope.ask(`/services/${id}/heartbeat`, { method: 'PUT', json: { status } })
        await beat()
        for (const [path, headers, etag] of known) {
          const again = await scope.ask(path, { headers: { ...headers, 'if-none-match': etag } })
          expect([path, again.status]).toEqual([path, 200])
          expect(again.text).toContain(`"health":"${status}"`)
          const now = again.headers.get('etag') ?? ''
          // The next heartbeat says nothing new.
          await beat()
          const quiet = await scope.ask(path, { headers: { ...headers, 'if-none-match': now } })
          expect([path, quiet.status]).toEqual([path, 304])
        }
      }
      const { headers } = await scope.ask(`/services/${id}?asOf=1`)
      expect(headers.get('etag')).toMatch(/^"[0-9a-f]{8}-1-unknown"$/)
    }))

  it('answers HEAD as GET, without the body', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      for (const path of [`/services/${id}`, '/services', '/health', '/docs', '/snapshot', '/openapi.json']) {
        const head = await scope.ask(path, { method: 'HEAD' })
        const get = await scope.ask(path)
        expect([path, head.status, head.text]).toEqual([path, get.status, ''])
        expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
        if (path !== '/health')
          expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'))
      }
    }))

  it('filters and pages, and goes on where the cursor says', () =>
    withServer(async (scope) => {
      for (const serviceName of ['a', 'b', 'c']) await register(scope, { ...cart, serviceName, tags: ['x'] })
      const first = (await scope.ask('/services?tag=x&limit=2')).body
      expect([names(first), first.total, first.revision]).toEqual([['a', 'b'], 3, 3])
      const second = (await scope.ask(`/registry?tag=x&limit=2&cursor=${first.nextCursor}`)).body
      expect([names(second), second.nextCursor]).toEqual([['c'], undefined])
    }))

  it('sends everything as JSON lines where that is preferred', () =>
    withServer(async (scope) => {
      for (let number = 0; number < 300; number += 1)
        await register(scope, { ...cart, serviceName: `s${number}` })
      const { headers, text } = await scope.ask('/services?version=^1', {
        headers: { accept: 'application/x-ndjson' },
      })
      expect(headers.get('content-type')).toBe('application/x-ndjson')
      expect(headers.get('vary')).toBe('Accept')
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(new Set(lines.map(({ serviceName }) => serviceName)).size).toBe(300)
      const etag = headers.get('etag') ?? ''
      const accept = 'application/json;q=0.5, application/x-ndjson'
      expect(
        (await scope.ask('/services?version=^1', { headers: { accept, 'if-none-match': etag } })).status,
      ).toBe(304)
      const preferred = 'application/json, application/x-ndjson;q=0.5'
      expect((await scope.ask('/services', { headers: { accept: preferred } })).body.total).toBe(300)
    }))

  it('sends a snapshot: the position, then every record at that revision', () =>
    withServer(async (scope) => {
      await register(scope)
      await register(scope, { ...cart, serviceName: 'other' })
      const [first, ...records] = (await scope.ask('/snapshot')).text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(first).toMatchObject({ position: scope.live.view.position, records: 2 })
      expect(records.map(({ kind, revision, data }) => [kind, revision, data.serviceName])).toEqual([
        ['service', 1, 'cart'],
        ['service', 2, 'other'],
      ])
    }))

  it('waits for minRevision, and answers 504 where it does not come', () =>
    withServer(
      async (scope) => {
        await register(scope)
        const arrived = scope.nextRequest()
        const waiting = scope.ask('/services?minRevision=2')
        await arrived
        await register(scope, { ...cart, serviceName: 'other' })
        expect((await waiting).body.total).toBe(2)
        const late = await scope.ask('/services?minRevision=99')
        expect([late.status, late.body.code]).toEqual([504, 'COORD_REVISION_WAIT_TIMEOUT'])
        expect(late.headers.get('retry-after')).toBe('1')
      },
      { options: { revisionTimeoutMs: 300 } },
    ))

  it('asks the database first for consistency=latest, and sees what another coordinator has just committed', () =>
    withServer(
      async (scope) => {
        await elsewhere(scope, 'other')
        expect((await scope.ask('/services')).body.total).toBe(0)
        expect((await scope.ask('/services?consistency=latest')).body.total).toBe(1)
      },
      { options: { pollMinMs: 60_000, pollMaxMs: 60_000 } },
    ))

  it('answers consistency=latest with 503, and never with something old, where the database is away', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      scope.store.outage()
      for (const path of ['/services', `/services/${id}`]) {
        const { status, body } = await scope.ask(`${path}?consistency=latest`)
        expect([path, status, body.code]).toEqual([path, 503, 'COORD_STORE_UNAVAILABLE'])
      }
      for (const path of [`/services?asOf=1`, `/services/${id}?asOf=1`, `/services/${id}/history`])
        expect([path, (await scope.ask(path)).status]).toEqual([path, 503])
      expect((await scope.ask(`/services/${id}`)).status).toBe(200)
    }))

  it('answers as it was at a revision or a time, and names that revision', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      await nextMillisecond()
      const between = new Date().toISOString()
      await nextMillisecond()
      await register(scope, { ...cart, tags: ['later'] })
      for (const moment of ['1', between, between.replace('Z', '+00:00')]) {
        const past = await scope.ask(`/services/${id}?asOf=${moment}`)
        expect([moment, past.status, past.body.service?.tags]).toEqual([moment, 200, []])
        expect(past.headers.get('x-coordinator-revision')).toBe('1')
        const list = await scope.ask(`/services?asOf=${encodeURIComponent(moment)}`)
        expect([list.body.revision, list.body.services[0].tags]).toEqual([1, []])
      }
      for (const path of [`/services/${id}?asOf=now`, '/services?asOf=now'])
        expect((await scope.ask(path)).headers.get('x-coordinator-revision')).toBe('2')
      const lines = await scope.ask('/services?asOf=1', { headers: { accept: 'application/x-ndjson' } })
      expect(JSON.parse(lines.text).tags).toEqual([])
      for (const moment of ['99', '2999-01-01T00:00:00Z']) {
        const future = await scope.ask(`/services?asOf=${moment}`)
        expect([future.status, future.body.code]).toEqual([400, 'COORD_REVISION_FUTURE'])
      }
    }))

  it('refuses a request that counts on another history, reads and writes alike', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const { lineage } = scope.live.view
      const requests: [string, string, unknown?][] = [
        ['GET', '/services'],
        ['GET', `/services/${id}`],
        ['GET', `/services/${id}?minRevision=1`],
        ['GET', `/services/${id}/history`],
        ['GET', '/snapshot'],
        ['POST', '/register', { ...cart, tags: ['new'] }],
        ['POST', '/register/batch', [{ ...cart, tags: ['new'] }]],
        ['POST', `/register/${id}/migration`, { migrationFile: {} }],
        ['PUT', `/services/${id}/heartbeat`],
        ['DELETE', `/services/${id}`],
      ]
      for (const [method, path, json] of requests) {
        const other = await scope.ask(path, { method, json, headers: { 'x-coordinator-lineage': 'another' } })
        expect([method, path, other.status, other.body.code]).toEqual([
          method,
          path,
          412,
          'COORD_LINEAGE_CHANGED',
        ])
        expect(other.body.lineage).toBe(lineage)
      }
      expect(scope.live.view.revision).toBe(1)
      expect((await scope.ask('/services', { headers: { 'x-coordinator-lineage': lineage } })).status).toBe(
        200,
      )
    }))
})
