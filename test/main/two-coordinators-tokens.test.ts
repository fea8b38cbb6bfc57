import { describe, expect, it, onTestFinished } from 'vitest'
import { type Coordinator, createCoordinator } from '../../src/coordinator.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { GrantedTime } from '../support/granted-time.ts'

const admin = 'administrator-'.repeat(3)

/** Two coordinators over one store. The second one asks for changes every `pollMs` milliseconds. */
async function startTwo(pollMs: number): Promise<readonly [Coordinator, Coordinator]> {
  const store: Store = new MemoryStore()
  const env = { AUTH: 'required', AUTH_ADMIN_TOKEN: admin, POLL_MIN_MS: '10', POLL_MAX_MS: String(pollMs) }
  const started: Coordinator[] = []
  onTestFinished(async () => {
    for (const coordinator of started) await coordinator.stop(0)
  })
  for (const _ of [1, 2]) {
    const coordinator = await createCoordinator({ store, env, port: 0 })
    started.push(coordinator)
    await coordinator.start()
  }
  return started as [Coordinator, Coordinator]
}

function send({ url }: Coordinator, path: string, token: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${token}`)
  return fetch(`${url}${path}`, { ...init, headers })
}

async function createToken(coordinator: Coordinator): Promise<{ token: string; id: string }> {
  const body = JSON.stringify({ name: 'ci', scopes: ['read'] })
  const reply = await send(coordinator, '/tokens', admin, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  expect(reply.status).toBe(201)
  return (await reply.json()) as { token: string; id: string }
}

describe('a token', () => {
  it('counts at another coordinator with its first request, long before that one asks for changes', async () => {
    const [first, second] = await startTwo(600_000)
    const { token } = await createToken(first)
    expect((await send(second, '/services', token)).status).toBe(200)
  })

  it('that is revoked loses its open streams at another coordinator within POLL_MAX_MS and a second', async () => {
    const pollMs = 1_000
    const [first, second] = await startTwo(pollMs)
    const { token, id } = await createToken(first)
    const stream = await send(second, '/changes', token, { headers: { accept: 'text/event-stream' } })
    expect(stream.status).toBe(200)
    // It ends by a last event, or with its connection.
    const ended = stream.text().catch(() => '')
    using time = new GrantedTime()
    expect((await send(first, `/tokens/${id}`, admin, { method: 'DELETE' })).status).toBe(200)
    await ended
    expect(time.now).toBeLessThan(pollMs + 1_000)
    const refused = await send(second, '/services', token)
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      401,
      'COORD_CREDENTIAL_REVOKED',
    ])
  })
})
