import { afterEach, describe, expect, it } from 'vitest'
import { type Coordinator, createCoordinator } from '../../src/coordinator.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import { until } from '../support/with-live.ts'
import { ask, registration } from './coordinator-process.ts'

const made: Coordinator[] = []
afterEach(async () => {
  await Promise.all(made.splice(0).map((coordinator) => coordinator.stop(0)))
})

/** A coordinator with these settings, and the store under it. */
async function started(env: Readonly<Record<string, string>>) {
  const store = new FaultyStore(new MemoryStore())
  const coordinator = await createCoordinator({ port: 0, store, env })
  made.push(coordinator)
  await coordinator.start()
  const register = (name: string, more = {}) =>
    ask(`${coordinator.url}/register`, 'POST', registration(name, more))
  return { coordinator, store, register, url: coordinator.url }
}

const still = { POLL_MIN_MS: '60000', POLL_MAX_MS: '60000' }

describe('a setting of the live layer takes effect', () => {
  it('COMMIT_TIMEOUT_MS: a write is answered after it', async () => {
    const { store, register } = await started({ ...still, COMMIT_TIMEOUT_MS: '150' })
    store.always({ does: 'hang' }, 'commit')
    const { status, body } = await register('a')
    expect([status, body.code, body.outcome]).toEqual([503, 'COORD_STORE_TIMEOUT', 'unknown'])
    expect(body.detail).toContain('150 ms')
    store.release()
  })

  it('COMMIT_QUEUE_MAX: one more is refused at once', async () => {
    const limits = { COMMIT_QUEUE_MAX: '2', COMMIT_TIMEOUT_MS: '60000' }
    const { coordinator, store, register } = await started({ ...still, ...limits })
    store.next('commit', { does: 'hang' })
    const taken = [register('a')]
    await until(() => store.callsOf('commit').length === 1)
    taken.push(register('b'))
    await until(() => coordinator.live.figures.queueDepth === 2)
    const { status, body } = await register('c')
    expect([status, body.code]).toEqual([503, 'COORD_COMMIT_QUEUE_FULL'])
    expect(body.detail).toContain('the limit is 2')
    store.release()
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([201, 201])
  })

  it('POLL_MIN_MS and POLL_MAX_MS: how often the journal is asked for', async () => {
    const often = await started({ POLL_MIN_MS: '10', POLL_MAX_MS: '10' })
    const seldom = await started(still)
    await until(() => often.store.callsOf('changes').length > 20)
    expect(seldom.store.callsOf('changes').length).toBeLessThanOrEqual(1)
  })

  it('JOURNAL_KEEP_REVISIONS: history beyond them is forgotten where no age is set', async () => {
    const { register, url, coordinator } = await started({ ...still, JOURNAL_KEEP_REVISIONS: '4' })
    let id = ''
    for (let n = 0; n < 12; n += 1) id = (await register('a', { tags: [`t${n}`] })).body.serviceId
    await until(() => coordinator.live.figures.floor >= 6)
    expect((await ask(`${url}/services/${id}?asOf=1`)).status).toBe(410)
    expect((await ask(`${url}/services/${id}?asOf=12`)).status).toBe(200)
    expect(coordinator.live.figures.floor).toBeLessThanOrEqual(8)
  })

  it('JOURNAL_KEEP_HOURS: younger history is kept, however much of it there is', async () => {
    const { register, store } = await started({
      ...still,
      JOURNAL_KEEP_REVISIONS: '4',
      JOURNAL_KEEP_HOURS: '24',
    })
    for (let n = 0; n < 12; n += 1) await register('a', { tags: [`t${n}`] })
    expect(store.callsOf('compact')).toEqual([])
  })
})

describe('a limit of each client takes effect', () => {
  it('LIMIT_WRITES_PER_SECOND: one more than that is refused', async () => {
    const { register } = await started({ LIMIT_WRITES_PER_SECOND: '1' })
    const statuses = [await register('a'), await register('b')].map(({ status }) => status)
    expect(statuses).toEqual([201, 429])
  })

  it('LIMIT_STREAMS: one more than that is refused', async () => {
    const { url } = await started({ LIMIT_STREAMS: '1' })
    const stop = new AbortController()
    const open = await fetch(`${url}/changes`, {
      headers: { accept: 'text/event-stream' },
      signal: stop.signal,
    })
    expect([open.status, (await ask(`${url}/snapshot`)).status]).toEqual([200, 429])
    stop.abort()
  })

  it('TRUSTED_PROXIES: the client is the one that they name', async () => {
    const { url } = await started({ AUTH: 'off', TRUSTED_PROXIES: '127.0.0.0/8' })
    await fetch(`${url}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' },
      body: JSON.stringify(registration('a')),
    })
    const { body } = await ask(`${url}/changes?after=0`)
    expect(body.entries[0].actor).toBe('http:203.0.113.9')
  })
})

describe('a setting of limits takes effect', () => {
  it('LIMIT_WRITES_PER_SECOND: more writes of a client get 429', async () => {
    const { url, register } = await started({ LIMIT_WRITES_PER_SECOND: '1' })
    const statuses = await Promise.all([1, 2, 3, 4].map(async (n) => (await register(`s${n}`)).status))
    expect(statuses).toContain(201)
    expect(statuses).toContain(429)
    expect((await ask(`${url}/services`)).status).toBe(200)
  })

  it('LIMIT_STREAMS: another stream of a client gets 429', async () => {
    const { url } = await started({ LIMIT_STREAMS: '1' })
    const headers = { accept: 'text/event-stream' }
    const first = await fetch(`${url}/changes`, { headers })
    const second = await fetch(`${url}/changes`, { headers })
    expect([first.status, second.status]).toEqual([200, 429])
    await Promise.all([first.body?.cancel(), second.body?.cancel()])
  })

  it('TRUSTED_PROXIES: the author of a change is the address that the proxy names', async () => {
    const { url } = await started({ AUTH: 'off', TRUSTED_PROXIES: '127.0.0.0/8' })
    await ask(`${url}/register`, 'POST', registration('cart'), { 'x-forwarded-for': '203.0.113.9' })
    const { body } = await ask(`${url}/changes?after=0`)
    expect(body.entries[0].actor).toBe('http:203.0.113.9')
  })
})
