import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allowAnonSql } from '../../src/database/migrations/emit-supabase.ts'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import type { CoordinatorError } from '../../src/errors.ts'
import { commitOf, newCall, put } from '../conformance/build.ts'
import { SupabaseProject } from '../support/supabase.ts'

const functions = [
  ...['head', 'load', 'changes', 'history', 'as_of', 'inspect', 'examine', 'migrations', 'catalog'],
  ...['commit', 'compact', 'fork', 'adopt', 'mend_head', 'set_mode', 'seed', 'replay'],
  ...['access_load', 'access_put', 'access_revoke', 'access_require', 'access_seed'],
]
const tables = [
  ...['head', 'records', 'tombstones', 'journal', 'unchanged', 'writers', 'access_tokens', 'migrations'],
  ...['services', 'dependencies', 'asserted_nodes', 'asserted_edges'],
]

const token = {
  id: 'canaryCANARY',
  name: 'ci',
  scopes: ['admin'],
  secretHash: 'c'.repeat(64),
  createdBy: 'CANARY',
  expiresAt: null,
}

let project: SupabaseProject

beforeAll(async () => {
  project = await SupabaseProject.start({ schemas: ['coordinator', 'open_to_all'] })
  await project.server.query(allowAnonSql('open_to_all'))
  const store = new SupabaseStore(project.options())
  const { position } = await store.open()
  await store.commit(position, [commitOf(put('secret-service', { canary: 'CANARY' }))], newCall())
  await store.access.put(token)
  await store.close()
})
afterAll(() => project.dispose())

/** Headers with which somebody comes to the Data API. */
const visitors: Readonly<Record<string, () => Record<string, string>>> = {
  'nobody, without a key': () => ({}),
  'anon, by the public key': () => ({ apikey: project.keys.publishableKey }),
  'authenticated, by logging in': () => ({ apikey: project.keys.userKey }),
  'somebody with a made-up secret key': () => ({ apikey: 'sb_secret_made_up' }),
}

async function ask(
  path: string,
  headers: Readonly<Record<string, string>>,
  init: RequestInit = {},
): Promise<{ status: number; code: unknown; text: string }> {
  const response = await fetch(`${project.api.url}/rest/v1/${path}`, {
    ...init,
    headers: { 'content-type': 'application/json', ...headers },
  })
  const text = await response.text()
  const { code } = (text === '' ? {} : (JSON.parse(text) as { code?: unknown })) ?? {}
  return { status: response.status, code, text }
}

const call = (name: string, headers: Readonly<Record<string, string>>) =>
  ask(`rpc/coordinator_${name}`, headers, { method: 'POST', body: JSON.stringify({ p: {} }) })

describe.each(Object.entries(visitors))('%s', (visitor, headersOf) => {
  it.each(functions)('may not call %s', async (name) => {
    const { status, code, text } = await call(name, headersOf())
    expect([401, 403]).toContain(status)
    // Whose key is known is refused by the database, for the role; anybody else before that.
    expect(code === '42501').toBe(/^anon|^authenticated/.test(visitor))
    expect(text).not.toContain('CANARY')
  })

  it.each(tables)('finds no table or view %s, by any method', async (table) => {
    for (const profile of [{}, { 'accept-profile': 'coordinator', 'content-profile': 'coordinator' }])
      for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
        const body = method === 'POST' || method === 'PATCH' ? '{"kind":"service"}' : undefined
        const { status, text } = await ask(
          `${table}?select=*`,
          { ...headersOf(), ...profile },
          { method, ...(body === undefined ? {} : { body }) },
        )
        expect(status).toBeGreaterThanOrEqual(400)
        expect(text).not.toContain('CANARY')
      }
  })
})

describe('service_role, by the secret key', () => {
  const headers = () => ({ apikey: project.keys.secretKey })

  it.each(functions)('may call %s', async (name) => {
    const { code } = await call(name, headers())
    expect(['42501', 'PGRST202']).not.toContain(code)
  })

  it.each(tables)('finds no table or view %s', async (table) => {
    // PostgREST 12 says the latter.
    expect(['PGRST205', '42P01']).toContain((await ask(table, headers())).code)
    expect((await ask(table, { ...headers(), 'accept-profile': 'coordinator' })).code).toBe('PGRST106')
  })

  it('finds no function of the private schema', async () => {
    const { code } = await ask(
      'rpc/commit',
      { ...headers(), 'content-profile': 'coordinator' },
      { method: 'POST', body: '{"p":{}}' },
    )
    expect(code).toBe('PGRST106')
  })
})

describe('a store with the public key', () => {
  it('is refused, with what to do', async () => {
    const store = new SupabaseStore(project.options({ access: 'anon' }))
    await expect(store.open()).rejects.toMatchObject({ code: 'COORD_STORE_ANON', exitCode: 78 })
    await store.close()
  })

  it('loads, commits and follows where that was allowed on purpose; no more than that', async () => {
    const store = new SupabaseStore(project.options({ access: 'anon', schema: 'open_to_all' }))
    const { position } = await store.open()
    const commit = commitOf(put('a'))
    expect(await store.commit(position, [commit], newCall())).toMatchObject({
      status: 'ok',
      results: [{ outcome: 'accepted', revision: 1 }],
    })
    expect(await store.changes(position, 10)).toMatchObject({ entries: [{ commitId: commit.commitId }] })
    expect(await Array.fromAsync(store.load())).toMatchObject([{ records: [{ id: 'a' }] }])
    const refused = { code: 'COORD_STORE_ANON' }
    await expect(store.compact(1)).rejects.toMatchObject({ ...refused, outcome: 'not_written' })
    await expect(store.fork(position)).rejects.toMatchObject({ ...refused, outcome: 'not_written' })
    await expect(store.history('service', 'a')).rejects.toMatchObject(refused)
    await expect(Array.fromAsync(store.asOf({ revision: 1 }))).rejects.toMatchObject(refused)
    const error = await store.inspector.inspect().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject(refused)
    for (const call of [
      () => store.access.put(token),
      () => store.access.revoke(token.id, 'anon'),
      () => store.access.require(),
    ])
      await expect(call()).rejects.toMatchObject({ ...refused, outcome: 'not_written' })
    await expect(store.access.load()).rejects.toMatchObject(refused)
    // Allowing it again would change nothing.
    expect((error as CoordinatorError).hint).not.toContain('--allow-anon')
    await store.close()
  })
})

describe('the public key, where it may read and write records', () => {
  it.each(['load', 'put', 'revoke', 'require'])('may not call access_%s, whatever it sends', async (name) => {
    for (const apikey of [project.keys.publishableKey, project.keys.userKey]) {
      const { status, code, text } = await ask(
        `rpc/open_to_all_access_${name}`,
        { apikey },
        { method: 'POST', body: JSON.stringify({ p: { schema: 9, token, id: token.id, by: 'anon' } }) },
      )
      expect([401, 403]).toContain(status)
      expect(code).toBe('42501')
      expect(text).not.toContain('CANARY')
    }
  })

  it('keeps a coordinator with the secret key from demanding credentials that would protect nothing', async () => {
    const service = new SupabaseStore(project.options({ schema: 'open_to_all' }))
    await service.open()
    await expect(service.access.require()).rejects.toMatchObject({
      code: 'COORD_CONFIG_INVALID',
      outcome: 'not_written',
      hint: expect.stringContaining('coordinator migrate --forbid-anon'),
    })
    expect((await service.access.load()).requiredSince).toBeNull()
    await service.close()
  })

  it('sees no token in anything that it may call', async () => {
    const service = new SupabaseStore(project.options({ schema: 'open_to_all' }))
    await service.open()
    await service.access.put(token)
    await service.close()
    const { text: head } = await ask(
      'rpc/open_to_all_head',
      { apikey: project.keys.publishableKey },
      {
        method: 'POST',
        body: '{"p":{}}',
      },
    )
    const after = JSON.parse(head) as Record<string, unknown>
    for (const [name, p] of [
      ['head', {}],
      ['load', { limit: 100 }],
      ['changes', { after, limit: 100 }],
      ['commit', { schema: 9, call: newCall(), after, limit: 10, batch: [] }],
    ] as const) {
      const { status, text } = await ask(
        `rpc/open_to_all_${name}`,
        { apikey: project.keys.publishableKey },
        { method: 'POST', body: JSON.stringify({ p }) },
      )
      expect(status).toBe(200)
      expect(JSON.parse(text)).toMatchObject({ status: 'ok' })
      for (const secret of [token.id, token.secretHash, token.createdBy]) expect(text).not.toContain(secret)
    }
  })
})

describe('a store with a wrong key', () => {
  it('is refused, naming the variable and never the key', async () => {
    const { target, ...rest } = project.options()
    const { Secret } = await import('../../src/config/secret.ts')
    const store = new SupabaseStore({ ...rest, target: { ...target, key: new Secret('sb_secret_CANARY') } })
    const error = await store.open().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'COORD_STORE_AUTH', exitCode: 78, sourceCode: 'HTTP401' })
    expect((error as CoordinatorError).hint).toContain('into SUPABASE_SERVICE_ROLE_KEY again')
    expect(JSON.stringify(error) + (error as Error).stack).not.toContain('CANARY')
    await store.close()
  })
})
