import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { DataApiStub, type StubRequest } from '../support/data-api-stub.ts'
import { targetOf } from '../support/supabase.ts'

/** A JWT with the claims of a legacy key; its signature is nobody's. */
function legacyKey(role: 'anon' | 'service_role'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ role, iss: 'supabase' })}.c2lnbmF0dXJl`
}

async function requestWith(key: string, access: 'service' | 'anon'): Promise<StubRequest> {
  await using stub = await DataApiStub.start()
  const store = new SupabaseStore({ target: targetOf({ url: stub.url, key, access }) })
  await store.open()
  await store.close()
  expect(stub.requests).toHaveLength(1)
  return stub.requests[0] as StubRequest
}

describe('supabase: headers', () => {
  it.each([
    ['secret', 'sb_secret_abcdefghijklmnopqrstuv_12345678', 'service'],
    ['publishable', 'sb_publishable_abcdefghijklmnopqrstuv_12345678', 'anon'],
  ] as const)(
    'sends a %s key in `apikey` only: it is no JWT, and no bearer token',
    async (_, key, access) => {
      const { headers } = await requestWith(key, access)
      expect(headers['apikey']).toBe(key)
      expect(headers['authorization']).toBeUndefined()
    },
  )

  it.each([
    ['legacy service_role', legacyKey('service_role'), 'service'],
    ['legacy anon', legacyKey('anon'), 'anon'],
    ['unknown', 'key-of-a-self-hosted-gateway', 'service'],
  ] as const)('sends a key of kind %s in `apikey` and as a bearer token', async (_, key, access) => {
    const { headers } = await requestWith(key, access)
    expect(headers['apikey']).toBe(key)
    expect(headers['authorization']).toBe(`Bearer ${key}`)
  })

  it('names itself plainly: a secret key beside the name of a browser is refused', async () => {
    const { headers } = await requestWith('sb_secret_x', 'service')
    expect(headers['user-agent']).toBe(`coordinator/${packageJson.version}`)
  })

  it('calls the function in the schema `public` by POST, with JSON both ways', async () => {
    const { method, path, headers, body } = await requestWith('sb_secret_x', 'service')
    expect([method, path]).toEqual(['POST', '/rest/v1/rpc/coordinator_head'])
    expect(headers['content-profile']).toBe('public')
    expect(headers['content-type']).toBe('application/json')
    expect(headers['accept']).toBe('application/json')
    expect(JSON.parse(body)).toEqual({ p: '{}' })
  })

  it('keeps a path in the URL of a project behind a proxy', async () => {
    await using stub = await DataApiStub.start()
    const target = targetOf({ url: `${stub.url}/supabase`, key: 'sb_secret_x', access: 'service' })
    const store = new SupabaseStore({ target, schema: 'other' })
    await store.open()
    await store.close()
    expect(stub.requests[0]?.path).toBe('/supabase/rest/v1/rpc/other_head')
  })

  it('keeps its connections from call to call', async () => {
    await using stub = await DataApiStub.start()
    const store = new SupabaseStore({
      target: targetOf({ url: stub.url, key: 'sb_secret_x', access: 'service' }),
    })
    for (let call = 0; call < 20; call += 1) await store.head()
    const { idle, ...figures } = store.pool().follower
    expect(figures).toEqual({ used: 0, waiting: 0, max: 1 })
    // A call may begin before the connection of the one before it counts as free.
    expect(stub.connections).toBeLessThanOrEqual(2)
    expect(idle).toBe(stub.connections)
    await store.close()
  })

  it('uses no connection again that was idle for longer than gateways wait, whatever they promise', async () => {
    await using stub = await DataApiStub.start()
    stub.reply = () => ({ headers: { connection: 'keep-alive', 'keep-alive': 'timeout=600' } })
    const target = targetOf({ url: stub.url, key: 'sb_secret_x', access: 'service' })
    const store = new SupabaseStore({ target, keepAliveMs: 100 })
    await store.head()
    await expect.poll(() => store.pool().follower.idle).toBe(0)
    await store.head()
    expect(stub.connections).toBe(2)
    await store.close()
  })
})
