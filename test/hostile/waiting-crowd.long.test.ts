import { expect, it, vi } from 'vitest'
import { ask, registration, serving } from '../main/coordinator-process.ts'
import { clients, RawClient } from './raw-client.ts'

// Thousands of clients in this process, and on a busy machine their coordinator accepts some hundred of them in a second.
vi.setConfig({ testTimeout: 300_000 })

const [count, atOnce] = [7_000, 250]

it('more waiting requests than a small heap has room for: the rest is refused, those that wait get what they wait for, and nothing ends', async () => {
  await using coordinator = await serving({
    nodeArgs: ['--max-old-space-size=96'],
    env: { QUESTION_TIMEOUT_MS: '60000' },
  })
  const { url } = coordinator
  const { body } = await ask(`${url}/register`, 'POST', registration('known'))
  {
    using crowd = clients(0, () => new RawClient(url, '/'))
    const withStatus = (wanted: number) => crowd.filter(({ status }) => status === wanted).length
    while (crowd.length < count) {
      const end = crowd.length + atOnce
      while (crowd.length < end)
        crowd.push(new RawClient(url, `/changes?wait=60&name=nobody-${crowd.length}`))
      expect((await ask(`${url}/health/live`)).status).toBe(200)
    }
    await expect.poll(() => withStatus(503), { timeout: 60_000 }).toBeGreaterThan(100)
    const refused = crowd.find(({ status }) => status === 503)
    expect(refused?.head).toMatch(/COORD_(STREAMS|CONNECTIONS)_FULL/)
    expect(refused?.head).toMatch(/^Retry-After: \d+/im)
    expect((await ask(`${url}/services/${body.serviceId}`)).status).toBe(200)
    // A deletion has no names, so all of them get it, and it needs no memory.
    expect((await ask(`${url}/services/${body.serviceId}`, 'DELETE')).status).toBe(200)
    const unanswered = () => crowd.filter(({ status, closed }) => status === undefined && !closed).length
    await expect.poll(unanswered, { timeout: 120_000, interval: 100 }).toBe(0)
    expect(withStatus(200)).toBeGreaterThan(1_000)
  }
  // There is room again when they are gone.
  const memoryState = async () => (await ask(`${url}/health`)).body.memory.state
  await expect.poll(memoryState, { timeout: 60_000, interval: 500 }).toBe('free')
  expect((await ask(`${url}/changes?wait=1&after=1`)).status).toBe(200)
  expect((await ask(`${url}/register`, 'POST', registration('later'))).status).toBe(201)
})
