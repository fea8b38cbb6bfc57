import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { EVERYBODY } from '../../src/access/principal.ts'
import { TrustedProxies } from '../../src/http/client/trusted-proxies.ts'
import { writeContext } from '../../src/http/reading/write-context.ts'
import { until } from '../support/with-live.ts'
import { cart, register, withServer } from './with-server.ts'

describe('http: the state of a coordinator', () => {
  it('is starting while it connects and while it loads, and not ready until then', () =>
    withServer(
      async ({ ask, live, store }) => {
        const told = async () => {
          const [health, ready] = [await ask('/health'), await ask('/health/ready')]
          const { body: database } = await ask('/database')
          return [health.body.status, health.body.storage.status, ready.status, database.status]
        }
        expect(await told()).toEqual(['starting', 'connecting', 503, 'connecting'])
        store.next('load', { does: 'hang' })
        const starting = live.start()
        await until(() => live.status.state === 'loading')
        expect(await told()).toEqual(['starting', 'loading', 503, 'loading'])
        const { status, body } = await ask('/services')
        expect([status, body.detail]).toEqual([503, 'The coordinator is loading. 0 records have arrived.'])
        store.release()
        await starting
        expect(await told()).toEqual(['ok', 'ready', 200, 'ready'])
      },
      { started: false },
    ))

  it('is ok in memory, which is durable for nobody: every answer to a registration says so', () =>
    withServer(
      async (scope) => {
        const { body } = await scope.ask('/health')
        expect(body).toMatchObject({
          status: 'ok',
          storage: { backend: 'memory', durable: false, status: 'memory' },
        })
        expect(body.notice).toMatch(/a restart of the coordinator loses it/)
        const registered = await scope.ask('/register', { json: cart })
        expect(registered.body).toMatchObject({ storage: { durable: false }, notice: body.notice })
        const batch = await scope.ask('/register/batch', { json: [cart] })
        expect(batch.body.notice).toBe(body.notice)
        for (const path of ['/register', '/database'])
          expect((await scope.ask(path)).body.notice).toBe(body.notice)
      },
      { durable: false },
    ))

  it('where it is durable, nothing is noticed', () =>
    withServer(async (scope) => {
      await register(scope)
      for (const path of ['/health', '/register', '/database'])
        expect((await scope.ask(path)).body).not.toHaveProperty('notice')
      expect((await scope.ask('/register', { json: cart })).body).not.toHaveProperty('notice')
    }))

  it('says how much is registered, and at which revision of which history', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      await register(scope, { ...cart, serviceName: 'other' })
      await scope.ask(`/services/${id}`, { method: 'DELETE' })
      const { body } = await scope.ask('/health')
      expect(body).toMatchObject({
        success: true,
        registeredServices: 1,
        revision: 3,
        lineage: scope.live.view.lineage,
        version: '1.2.3',
      })
      expect(Date.parse(body.storage.since)).toBeLessThanOrEqual(Date.now())
      expect(body.uptime).toBeLessThan(3_600)
      expect((await scope.ask('/health/ready?for=reads')).body).toEqual({
        success: true,
        status: 'ready',
        for: 'reads',
      })
      expect((await scope.ask('/health/ready?for=writes')).body.for).toBe('writes')
      expect((await scope.ask('/health/ready?for=x')).status).toBe(400)
    }))

  it('says which writes wait, and how old the view is', () =>
    withServer(
      async (scope) => {
        scope.store.next('commit', { does: 'hang' })
        const waiting = scope.ask('/register', { json: cart })
        await until(() => scope.store.callsOf('commit').length === 1)
        const { body } = await scope.ask('/database')
        expect(body.waitingWrites).toBe(1)
        expect(body.ageMs).toBeTypeOf('number')
        scope.store.release()
        expect((await waiting).status).toBe(201)
        expect((await scope.ask('/database')).body.waitingWrites).toBe(0)
      },
      { options: { commitTimeoutMs: 10_000 } },
    ))
})

describe('http: who did it', () => {
  const actorOf = (remoteAddress: string | undefined, headers: object = {}) =>
    writeContext({
      principal: EVERYBODY,
      raw: { headers, socket: { remoteAddress } },
      address: '',
      server: { trustedProxies: new TrustedProxies() },
    } as unknown as FastifyRequest).actor

  it('is the address, an IPv4 one as such also where it came over IPv6', () => {
    expect(actorOf('127.0.0.1')).toBe('http:127.0.0.1')
    expect(actorOf('::ffff:10.0.0.1')).toBe('http:10.0.0.1')
    expect(actorOf('fe80::1')).toBe('http:fe80::1')
    expect(actorOf(undefined)).toBe('http:unknown')
  })

  it('is the address with what the header claims, in UTF-8', () => {
    const header = Buffer.from('Jürgen 🦊').toString('latin1')
    expect(actorOf('127.0.0.1', { 'x-coordinator-actor': header })).toBe(
      'http:127.0.0.1 as J%C3%BCrgen%20%F0%9F%A6%8A',
    )
  })
})
