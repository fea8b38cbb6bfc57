import { describe, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { readExpiry } from '../../src/http/reading/token-expiry.ts'
import { type AccessScope, adminToken, bearer, metricsToken, withAccess } from './with-access.ts'
import { cart, withServer } from './with-server.ts'

const byAdmin = { headers: bearer(adminToken) }
const dayMs = 86_400_000

function create({ ask }: Pick<AccessScope, 'ask'>, json: object, headers = bearer(adminToken)) {
  return ask('/tokens', { json, headers })
}

describe('http: tokens', () => {
  it('are created by an administrator, shown once, and good for what they permit', () =>
    withAccess(async (scope) => {
      const { status, headers, body, text } = await create(scope, {
        name: 'cart',
        scopes: ['register:cart', 'read'],
      })
      expect(status).toBe(201)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('location')).toBe(`/tokens/${body.id}`)
      expect(body).toMatchObject({
        success: true,
        ...{ name: 'cart', scopes: ['register:cart', 'read'], createdBy: 'admin' },
        ...{ revokedAt: null, revokedBy: null, lastUsedAt: null },
        token: expect.stringMatching(/^cdt_\w{12}_\w{49}$/),
      })
      expect(Date.parse(body.expiresAt) - Date.parse(body.createdAt)).toBeCloseTo(90 * dayMs, -4)
      const registered = await scope.ask('/register', { json: cart, headers: bearer(body.token) })
      expect(registered.status).toBe(201)
      const { body: history } = await scope.ask(`/services/${registered.body.serviceId}/history`, {
        headers: bearer(body.token),
      })
      expect(history.entries[0].actor).toBe('token:cart')
      const { body: list, text: listed } = await scope.ask('/tokens', byAdmin)
      expect(list.tokens).toEqual([
        expect.objectContaining({ name: 'cart', id: body.id, lastUsedAt: expect.any(String) }),
      ])
      const secret = body.token.split('_')[2]
      expect(text).toContain(secret)
      expect(listed).not.toMatch(/secret|hash/i)
      expect(listed).not.toContain(secret.slice(0, 20))
      expect(scope.log.join('\n')).not.toContain(secret.slice(0, 20))
      expect(scope.log.find((line) => line.includes('a token was created'))).toContain('"name":"cart"')
    }))

  it('are revoked for ever, and again without a change', () =>
    withAccess(async (scope) => {
      const { body } = await create(scope, { name: 'ci', scopes: ['read'], expires: 'never' })
      expect(body.expiresAt).toBeNull()
      const revoke = () =>
        scope.ask(`/tokens/${body.id}`, {
          method: 'DELETE',
          headers: { ...bearer(adminToken), 'x-coordinator-actor': 'jane' },
        })
      const first = await revoke()
      expect(first.body).toMatchObject({ success: true, id: body.id, revokedBy: 'admin as jane' })
      expect((await revoke()).body.revokedAt).toBe(first.body.revokedAt)
      const { status, body: denied } = await scope.ask('/services', { headers: bearer(body.token) })
      expect([status, denied.code]).toEqual([401, 'COORD_CREDENTIAL_REVOKED'])
      const again = await create(scope, { name: 'ci', scopes: ['read'] })
      expect([again.status, again.body.code]).toEqual([409, 'COORD_TOKEN_NAME_TAKEN'])
      const unknown = await scope.ask('/tokens/nobody', { method: 'DELETE', ...byAdmin })
      expect([unknown.status, unknown.body.code]).toEqual([404, 'COORD_TOKEN_NOT_FOUND'])
    }))

  it.each([
    ['without a name', { scopes: ['read'] }, '/name', 'COORD_FIELD_MISSING'],
    ['with a name that no token can have', { name: 'A b', scopes: ['read'] }, '/name', 'COORD_FIELD_INVALID'],
    ['without scopes', { name: 'x', scopes: [] }, '/scopes', 'COORD_FIELD_INVALID'],
    ['with a scope that is none', { name: 'x', scopes: ['write'] }, '/scopes/0', 'COORD_FIELD_INVALID'],
    ['with 65 scopes', { name: 'x', scopes: Array(65).fill('read') }, '/scopes', 'COORD_FIELD_TOO_LARGE'],
    [
      'with scopes of 8,193 characters',
      { name: 'x', scopes: Array.from({ length: 8 }, (_, at) => `register:${'n'.repeat(1_015)}${at % 2}`) },
      '/scopes',
      'COORD_FIELD_TOO_LARGE',
    ],
    [
      'that expire at no time',
      { name: 'x', scopes: ['read'], expires: 'soon' },
      '/expires',
      'COORD_FIELD_INVALID',
    ],
    [
      'that have expired',
      { name: 'x', scopes: ['read'], expires: '2020-01-01T00:00:00Z' },
      '/expires',
      'COORD_FIELD_INVALID',
    ],
    ['with a misspelling', { name: 'x', scopes: ['read'], expiry: '1d' }, '/expiry', 'COORD_FIELD_INVALID'],
  ])('%s are refused with the place of the fault', (_, json, path, code) =>
    withAccess(async (scope) => {
      const { status, body } = await create(scope, json)
      expect({ status, code: body.code, path: body.errors?.[0]?.path }).toEqual({
        ...{ status: 400, code, path },
      })
      // The guide at GET /register is about registrations only.
      expect(body.hint).not.toContain('/register')
      if (code === 'COORD_FIELD_MISSING') expect(body.hint).toContain('`/docs#postTokens`')
      expect(scope.access.listTokens()).toEqual([])
    }),
  )

  it('are created where access is still open, with a warning that nobody needs them yet', () =>
    withAccess(
      async (scope) => {
        const { status, body } = await create(scope, { name: 'first', scopes: ['admin'] }, {} as never)
        expect([status, body.createdBy]).toEqual([201, 'http:127.0.0.1'])
        expect(body.warnings.map(({ code }: { code: string }) => code)).toEqual(['access_open'])
      },
      { access: { mode: 'open' } },
    ))

  it('in memory are created with a warning that a restart loses them', () =>
    withAccess(
      async (scope) => {
        const { body } = await create(scope, { name: 'first', scopes: ['read'] })
        expect(body.warnings).toMatchObject([{ code: 'token_not_kept' }])
      },
      { durable: false },
    ))

  it('cannot be created where no store keeps them', () =>
    withServer(
      async ({ ask }) => {
        const { status, body } = await ask('/tokens', {
          json: { name: 'x', scopes: ['read'] },
          headers: bearer(adminToken),
        })
        expect([status, body.code]).toEqual([503, 'COORD_AUTH_UNAVAILABLE'])
      },
      { access: new Access({ mode: 'required', adminToken }) },
    ))

  it.each([
    ['90d', 90 * dayMs],
    ['12h', 12 * 3_600_000],
    ['2w', 14 * dayMs],
    ['1970-01-02T00:00:00Z', dayMs],
    ['1970-01-02T01:00:00+01:00', dayMs],
    ['never', null],
    ['0d', undefined],
    ['-1d', undefined],
    ['1 d', undefined],
    ['1y', undefined],
    ['1970-01-02', undefined],
    ['2027-13-01T00:00:00Z', undefined],
    ['', undefined],
  ])('that expire %j end at %j', (text, at) => {
    expect(readExpiry(text, 0)).toBe(at)
  })
})

describe('http: the access of a caller', () => {
  it('is shown to it', () =>
    withAccess(async (scope) => {
      const expires = '2099-01-01T00:00:00.000Z'
      const { body } = await create(scope, { name: 'ci', scopes: ['register:a*', 'read'], expires })
      const shown = async (token: string) => (await scope.ask('/access', { headers: bearer(token) })).body
      expect(await shown(body.token)).toEqual({
        ...{ success: true, mode: 'required', kind: 'token', actor: 'token:ci' },
        ...{ scopes: ['register:a*', 'read'], expiresAt: expires },
      })
      expect(await shown(adminToken)).toMatchObject({ kind: 'admin', actor: 'admin', expiresAt: null })
      expect(await shown(metricsToken)).toMatchObject({ kind: 'metrics', scopes: ['metrics'] })
    }))

  it('is that of everybody where access is open, with the way to the first token', () =>
    withAccess(
      async (scope) => {
        const { body } = await scope.ask('/access')
        expect(body).toMatchObject({ mode: 'open', kind: 'open', actor: 'http:127.0.0.1', scopes: ['admin'] })
        expect(body.nextStep).toContain('coordinator token create NAME --scope admin')
        await create(scope, { name: 'first', scopes: ['admin'] })
        expect((await scope.ask('/access')).body).not.toHaveProperty('nextStep')
      },
      { access: { mode: 'open' } },
    ))

  it('tells of a setting where memory would lose the first token', () =>
    withServer(
      async ({ ask }) => {
        expect((await ask('/access')).body.nextStep).toContain('AUTH_ADMIN_TOKEN')
      },
      { durable: false },
    ))

  it('tells how to create the first token again when the only administrator has expired', async () => {
    const { access: store } = new MemoryStore()
    let now = Date.now()
    const access = new Access({ mode: 'open', store, now: () => now })
    void access.start()
    await withServer(
      async ({ ask }) => {
        await expect.poll(() => access.tokensKnown).toBe(true)
        await access.createToken({ name: 'me', scopes: ['admin'], expiresAt: now + 1_000 }, 'test')
        expect((await ask('/access')).body.nextStep).toBe(undefined)
        now += 1_000
        expect((await ask('/access')).body.nextStep).toContain('coordinator token create')
      },
      { access },
    )
    access.stop()
  })

  it('without a credential is what anonymous callers may do', () =>
    withAccess(
      async (scope) => {
        expect((await scope.ask('/access')).body).toMatchObject({ kind: 'anonymous', scopes: ['read'] })
        expect((await scope.ask('/services')).status).toBe(200)
        const refused = await scope.ask('/register', { json: cart })
        expect([refused.status, refused.body.code]).toEqual([401, 'COORD_AUTH_REQUIRED'])
        expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="coordinator"')
        expect((await scope.ask('/services', { headers: bearer('wrong') })).status).toBe(401)
      },
      { access: { anonymous: 'read' } },
    ))

  it('says how to get in where nobody can administer', () =>
    withServer(
      async ({ ask }) => {
        const { status, body } = await ask('/services')
        expect([status, body.code]).toEqual([401, 'COORD_AUTH_REQUIRED'])
        expect(body.hint).toContain('AUTH_ADMIN_TOKEN')
      },
      { access: lockedOut() },
    ))
})

function lockedOut(): Access {
  const access = new Access({ mode: 'required', store: new MemoryStore().access })
  void access.start()
  return access
}
