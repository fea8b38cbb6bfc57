import { describe, expect, it } from 'vitest'
import { cart, register, withServer } from './with-server.ts'

const json = { 'content-type': 'application/json' }

describe('http: registering', () => {
  it('answers 201 with id, place and storage for a new service, and 200 with the same revision for a known one', () =>
    withServer(
      async ({ ask }) => {
        const first = await ask('/register', { json: cart })
        expect(first.status).toBe(201)
        expect(first.body).toMatchObject({
          success: true,
          status: 'pending_migration',
          created: true,
          changed: true,
          revision: 1,
          warnings: [],
        })
        expect(first.body.storage).toEqual({ backend: 'memory', durable: false })
        expect(first.headers.get('location')).toBe(`/services/${first.body.serviceId}`)
        expect(first.headers.get('x-coordinator-revision')).toBe('1')
        const again = await ask('/register', { json: cart })
        expect(again.status).toBe(200)
        expect(again.body).toMatchObject({
          serviceId: first.body.serviceId,
          created: false,
          changed: false,
          revision: 1,
        })
        expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
      },
      { durable: false },
    ))

  it('says beforehand that a restart loses what is in memory, and does not say so of a durable store', async () => {
    await withServer(
      async ({ ask }) => {
        expect((await ask('/register', { json: cart })).body.notice).toMatch(/a restart .* loses it/)
        expect((await ask('/health')).body.notice).toMatch(/a restart .* loses it/)
      },
      { durable: false },
    )
    await withServer(async ({ ask }) => {
      expect((await ask('/register', { json: cart })).body).not.toHaveProperty('notice')
      expect((await ask('/health')).body).not.toHaveProperty('notice')
    })
  })

  it('answers a batch with one result each, in order, as every single registration would have been answered', () =>
    withServer(async (scope) => {
      const known = await register(scope)
      const { status, body } = await scope.ask('/register/batch', {
        json: [{ ...cart, serviceName: 'new' }, { serviceName: 'x' }, cart],
      })
      expect(status).toBe(200)
      expect(body).toMatchObject({ success: true, registered: 2, failed: 1, revision: 2 })
      expect(body.results[0]).toMatchObject({ success: true, statusCode: 201, created: true })
      expect(body.results[1]).toMatchObject({ success: false, status: 400, code: 'COORD_FIELD_MISSING' })
      expect(body.results[2]).toMatchObject({
        success: true,
        statusCode: 200,
        changed: false,
        serviceId: known,
      })
    }))

  it('takes the migration file as a second stage', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const { status, body } = await scope.ask(`/register/${id}/migration`, {
        json: { migrationFile: { tables: ['carts'] } },
      })
      expect([status, body.status, body.revision]).toEqual([200, 'active', 2])
      expect((await scope.ask(`/services/${id}`)).body.service).toMatchObject({
        status: 'active',
        revision: 2,
      })
    }))

  it('deregisters; afterwards the 404 names the revision of that', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      expect((await scope.ask(`/services/${id}`, { method: 'DELETE' })).body).toMatchObject({
        changed: true,
        revision: 2,
      })
      const gone = await scope.ask(`/services/${id}`)
      expect(gone.status).toBe(404)
      expect(gone.body).toMatchObject({ code: 'COORD_SERVICE_NOT_FOUND', deletedAtRevision: 2 })
    }))

  it('takes heartbeats without a commit, with and without a body', () =>
    withServer(async (scope) => {
      const id = await register(scope, { ...cart, ttlSeconds: 30 })
      const plain = await scope.ask(`/services/${id}/heartbeat`, { method: 'PUT' })
      expect(plain.status).toBe(200)
      expect(plain.body).toMatchObject({ health: 'up', ttlSeconds: 30 })
      const { lastHeartbeat, expiresAt } = plain.body
      expect(Date.parse(expiresAt) - Date.parse(lastHeartbeat)).toBe(30_000)
      const down = await scope.ask(`/services/${id}/heartbeat`, { method: 'PUT', json: { status: 'down' } })
      expect(down.body.health).toBe('down')
      expect(down.headers.get('x-coordinator-revision')).toBe('1')
    }))

  it('notes who did it: the header, or else the address', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const actor = Buffer.from('Jürgen 🚀').toString('latin1')
      await scope.ask('/register', {
        json: { ...cart, tags: ['a'] },
        headers: { 'x-coordinator-actor': actor },
      })
      const { entries } = (await scope.ask(`/services/${id}/history`)).body
      expect(entries.map((entry: { actor: string }) => entry.actor)).toEqual([
        'http:127.0.0.1 as J%C3%BCrgen%20%F0%9F%9A%80',
        'http:127.0.0.1',
      ])
    }))

  it.each([
    ['empty', ''],
    ['blank', ' '],
    ['with a control character', 'a\tb'],
    ['too long', 'x'.repeat(257)],
    ['not UTF-8', '\xff\xfe'],
  ])('refuses an actor that is %s', (_, actor) =>
    withServer(async ({ server, live }) => {
      const { statusCode, body } = await server.app.inject({
        method: 'POST',
        url: '/register',
        headers: { ...json, 'x-coordinator-actor': actor },
        payload: JSON.stringify(cart),
      })
      expect(statusCode).toBe(400)
      expect(JSON.parse(body)).toMatchObject({ code: 'COORD_HEADER_INVALID', outcome: 'not_written' })
      expect(live.view.revision).toBe(0)
    }),
  )

  it('answers the first result to the same key, and 422 to the same key with another content', () =>
    withServer(async ({ ask }) => {
      const headers = { 'idempotency-key': 'order-1' }
      const first = await ask('/register', { json: cart, headers })
      const again = await ask('/register', { json: cart, headers })
      expect(again.body).toMatchObject({ serviceId: first.body.serviceId, revision: 1, replayed: true })
      const other = await ask('/register', { json: { ...cart, tags: ['other'] }, headers })
      expect(other.status).toBe(422)
      expect(other.body).toMatchObject({ code: 'COORD_IDEMPOTENCY_REUSED' })
    }))

  it('answers 412 where If-Match or If-None-Match does not hold', () =>
    withServer(async ({ ask }) => {
      const first = await ask('/register', { json: cart, headers: { 'if-none-match': '*' } })
      expect(first.status).toBe(201)
      const etag = first.headers.get('etag') ?? ''
      const absent = await ask('/register', { json: cart, headers: { 'if-none-match': '*' } })
      expect([absent.status, absent.body.code]).toEqual([412, 'COORD_PRECONDITION_FAILED'])
      const change = { json: { ...cart, tags: ['a'] }, headers: { 'if-match': etag } }
      expect((await ask('/register', change)).status).toBe(200)
      const lost = await ask('/register', { json: { ...cart, tags: ['b'] }, headers: { 'if-match': etag } })
      expect([lost.status, lost.body.code]).toEqual([412, 'COORD_PRECONDITION_FAILED'])
      expect(lost.body.outcome).toBe('not_written')
    }))

  it('warns of what it ignored', () =>
    withServer(async ({ ask }) => {
      const { body } = await ask('/register', { json: { ...cart, tag: ['a'] } })
      expect(body.warnings[0]).toMatchObject({ code: 'unknown_field', path: '/tag' })
      expect(body.warnings[0].message).toMatch(/did you mean tags/)
    }))

  it('shows how to register, with an example that can be sent as it is', () =>
    withServer(async ({ ask }) => {
      const guide = (await ask('/register')).body
      expect(guide.required).toEqual(['serviceName', 'version', 'endpoint'])
      expect((await ask('/register', { json: guide.example })).status).toBe(201)
    }))

  it('keeps names with spaces, colons, slashes and emoji on every path', () =>
    withServer(async (scope) => {
      const serviceName = 'a b:c/d?e#f%20 Ünïcode 🛒'
      const id = await register(scope, { ...cart, serviceName })
      expect((await scope.ask(`/services/${id}`)).body.service.serviceName).toBe(serviceName)
      const found = await scope.ask(`/services?name=${encodeURIComponent(serviceName)}`)
      expect(found.body.services.map((service: { id: string }) => service.id)).toEqual([id])
      const lines = await scope.ask('/snapshot')
      expect(JSON.parse(lines.text.split('\n')[1] ?? '').data.serviceName).toBe(serviceName)
    }))
})
