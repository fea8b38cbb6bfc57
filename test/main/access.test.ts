import { createHmac } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, type Env, registration, runCoordinator, scratchFolder, serving } from './coordinator-process.ts'

const admin = 'administrator-'.repeat(3)
const metrics = 'metrics-'.repeat(5)
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function createToken(url: string, name: string, scopes: readonly string[]): Promise<string> {
  const { status, body } = await ask(`${url}/tokens`, 'POST', { name, scopes }, bearer(admin))
  expect(status).toBe(201)
  return body.token
}

async function statusOf(url: string, token?: string): Promise<number> {
  return (await ask(url, 'GET', undefined, token === undefined ? {} : bearer(token))).status
}

describe('coordinator serve with AUTH=required', () => {
  it('serves whoever has a credential, on every address, and logs its mode', async () => {
    const env = { HOST: '0.0.0.0', AUTH: 'required', AUTH_ADMIN_TOKEN: admin, AUTH_METRICS_TOKEN: metrics }
    await using coordinator = await serving({ env })
    const { url } = coordinator
    expect(await statusOf(`${url}/services`)).toBe(401)
    expect(await statusOf(`${url}/services`, 'x'.repeat(40))).toBe(401)
    expect(await statusOf(`${url}/services`, admin)).toBe(200)
    expect(await statusOf(`${url}/services`, metrics)).toBe(403)
    expect(await statusOf(`${url}/metrics`, metrics)).toBe(200)
    expect(await statusOf(`${url}/health/ready`)).toBe(200)
    const registered = await ask(`${url}/register`, 'POST', registration('cart'), bearer(admin))
    expect(registered.status).toBe(201)
    const { body } = await ask(`${url}/changes?after=0`, 'GET', undefined, bearer(admin))
    expect(body.entries[0].actor).toBe('admin')
    const { stdout } = await coordinator.stop()
    expect(stdout).toContain('"access":"required"')
    expect(stdout).not.toContain('nobody may administer')
    expect(stdout).not.toContain(admin)
    expect(stdout).not.toContain(metrics)
  })

  it('says how to create the first token, and keeps it when the way to it is closed', async () => {
    await using folder = await scratchFolder()
    const env: Env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db`, AUTH: 'required' }
    const first = await serving({ env })
    expect((await first.stop()).stdout).toContain(
      'nobody may administer: set AUTH_ADMIN_TOKEN to a secret of at least 32 characters (`openssl rand -base64 32`), restart, then run `coordinator token create NAME --scope admin`',
    )

    const file = join(folder.path, 'admin')
    await writeFile(file, `${admin}\n`)
    const second = await serving({ env: { ...env, AUTH_ADMIN_TOKEN_FILE: file } })
    const token = await createToken(second.url, 'me', ['admin'])
    expect((await second.stop()).stdout).not.toContain('nobody may administer')

    await using third = await serving({ env })
    expect(await statusOf(`${third.url}/tokens`, admin)).toBe(401)
    expect(await statusOf(`${third.url}/tokens`, token)).toBe(200)
    const listed = await runCoordinator(['services'], {
      env: { COORDINATOR_URL: third.url, COORDINATOR_TOKEN: token },
    })
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    const { stdout } = await third.stop()
    expect(stdout).not.toContain('nobody may administer')
    expect(stdout).not.toContain(token)
  })

  it('names at its start the tokens that anybody may have created while access was open', async () => {
    await using folder = await scratchFolder()
    const env: Env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    const open = await serving({ env })
    for (const name of ['mine', 'hidden', 'gone'])
      expect((await ask(`${open.url}/tokens`, 'POST', { name, scopes: ['admin'] })).status).toBe(201)
    const { body } = await ask(`${open.url}/tokens`)
    const gone = body.tokens.find(({ name }: { name: string }) => name === 'gone')
    expect((await ask(`${open.url}/tokens/${gone.id}`, 'DELETE')).status).toBe(200)
    expect((await open.stop()).stdout).not.toContain('revoke those that you do not know')

    const closed = await serving({ env: { ...env, AUTH: 'required', AUTH_ADMIN_TOKEN: admin } })
    await createToken(closed.url, 'later', ['admin'])
    const { stdout } = await closed.stop()
    const line = stdout.split('\n').find((text) => text.includes('revoke those that you do not know'))
    expect(JSON.parse(line ?? '{}')).toMatchObject({ tokens: ['mine', 'hidden'], count: 2 })
  })

  it('lets read who sends nothing, where AUTH_ANONYMOUS=read', async () => {
    const env = { AUTH: 'required', AUTH_ADMIN_TOKEN: admin, AUTH_ANONYMOUS: 'read' }
    await using coordinator = await serving({ env })
    expect(await statusOf(`${coordinator.url}/services`)).toBe(200)
    const { status } = await ask(`${coordinator.url}/register`, 'POST', registration('cart'))
    expect(status).toBe(401)
    expect(await statusOf(`${coordinator.url}/services`, 'wrong')).toBe(401)
  })

  it('takes JWTs that AUTH_JWT_SECRET signs, with the scopes of AUTH_JWT_SCOPE_CLAIM', async () => {
    const secret = 'jwt-secret-'.repeat(4)
    await using coordinator = await serving({
      env: {
        AUTH: 'required',
        AUTH_JWT_ISSUER: 'https://issuer.example.org',
        AUTH_JWT_AUDIENCE: 'coordinator',
        AUTH_JWT_SECRET: secret,
        AUTH_JWT_SCOPE_CLAIM: 'app_metadata.coordinator',
      },
    })
    const jwt = (claims: object) => {
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const now = Math.floor(Date.now() / 1_000)
      const times = { iat: now, exp: now + 600 }
      const known = { iss: 'https://issuer.example.org', aud: 'coordinator', sub: 'ann', ...times, ...claims }
      const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(known)}`
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
    }
    const scopes = { app_metadata: { coordinator: ['read', 'register:cart'] } }
    expect(await statusOf(`${coordinator.url}/services`, jwt(scopes))).toBe(200)
    expect(await statusOf(`${coordinator.url}/services`, jwt({ scope: 'read' }))).toBe(403)
    expect(await statusOf(`${coordinator.url}/services`, jwt({ ...scopes, aud: 'other' }))).toBe(401)
    const register = (name: string) =>
      ask(`${coordinator.url}/register`, 'POST', registration(name), bearer(jwt(scopes)))
    expect((await register('cart')).status).toBe(201)
    expect((await register('other')).status).toBe(403)
    const { body } = await ask(`${coordinator.url}/changes?after=0`, 'GET', undefined, bearer(jwt(scopes)))
    expect(body.entries[0].actor).toBe('jwt:ann')
  })

  it('refuses what was issued before AUTH_NOT_BEFORE', async () => {
    await using folder = await scratchFolder()
    const env = {
      DATABASE_URL: `sqlite:${folder.path}/coordinator.db`,
      AUTH: 'required',
      AUTH_ADMIN_TOKEN: admin,
    }
    const before = await serving({ env })
    const token = await createToken(before.url, 'old', ['read'])
    expect(await statusOf(`${before.url}/services`, token)).toBe(200)
    await before.stop()
    await using after = await serving({ env: { ...env, AUTH_NOT_BEFORE: new Date().toISOString() } })
    expect(await statusOf(`${after.url}/services`, token)).toBe(401)
    expect(await statusOf(`${after.url}/services`, await createToken(after.url, 'new', ['read']))).toBe(200)
  })
})

describe('coordinator serve without AUTH', () => {
  it('on loopback is open to this machine, also to who sends a credential, and logs so', async () => {
    await using coordinator = await serving()
    expect(await statusOf(`${coordinator.url}/services`)).toBe(200)
    expect(await statusOf(`${coordinator.url}/services`, 'anything')).toBe(200)
    expect((await coordinator.stop()).stdout).toContain('"access":"open"')
  })

  it('on loopback refuses what a proxy forwards', async () => {
    await using coordinator = await serving()
    const forwarded = await ask(`${coordinator.url}/services`, 'GET', undefined, {
      'x-forwarded-for': '10.0.0.1',
    })
    expect([forwarded.status, forwarded.body.code]).toEqual([403, 'COORD_PROXY_NEEDS_AUTH'])
  })
})
