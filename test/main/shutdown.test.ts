import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { metric, registerLarge } from '../hostile/large-lists.ts'
import { dearness } from '../support/dearness.ts'
import { ask, registration, type Serving, scratchFolder, serving } from './coordinator-process.ts'

interface Load {
  /** Registrations that were acknowledged. */
  readonly acknowledged: string[]
  /** What did not end with an answer, and how. */
  readonly cut: string[]
  /** Statuses other than 200 and 201. */
  readonly refused: number[]
  stop(): void
  readonly done: Promise<unknown>
}

/** Clients that register one service after another over kept connections, until the server refuses new ones. */
function registerContinually(url: string, clients: number): Load {
  const load: { -readonly [K in 'acknowledged' | 'cut' | 'refused']: Load[K] } = {
    acknowledged: [],
    cut: [],
    refused: [],
  }
  let running = true
  const client = async (number: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let count = 0; running && count < 5_000; count += 1) {
      const name = `load-${number}-${count}`
      try {
        const { status, body } = await post(agent, `${url}/register`, registration(name))
        if (status === 201) load.acknowledged.push(body.serviceId)
        else load.refused.push(status)
        if (status === 503) break
      } catch (thrown) {
        const { code = 'none', reused } = thrown as { code?: string; reused?: boolean }
        // Nobody listens any more; or an idle connection was closed at the moment it was used again, before anything of
        // the request was read: HTTP clients send such a request again.
        const harmless = code === 'ECONNREFUSED' || (code === 'ECONNRESET' && reused === true)
        if (!harmless) load.cut.push(code)
        break
      }
    }
    agent.destroy()
  }
  const done = Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const stop = () => {
    running = false
  }
  return Object.assign(load, { done, stop })
}

async function post(
  agent: Agent,
  url: string,
  body: unknown,
): Promise<{ status: number; body: { serviceId: string } }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number
    body: { serviceId: string }
  }>()
  const sent = request(
    url,
    { agent, method: 'POST', headers: { 'content-type': 'application/json' } },
    (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }))
    },
  )
  sent.on('error', (error) => reject(Object.assign(error, { reused: sent.reusedSocket })))
  sent.end(JSON.stringify(body))
  return promise
}

/** Waits until the coordinator holds a part of a body. */
async function isArriving({ url }: Serving): Promise<void> {
  const bytes = /^coordinator_http_body_bytes [1-9]/m
  await expect.poll(async () => (await ask(`${url}/metrics`)).body).toMatch(bytes)
}

describe('coordinator serve: stopping', () => {
  it('under load: cuts no request, and loses nothing that was acknowledged', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    let load: Load
    {
      await using coordinator = await serving({ env })
      load = registerContinually(coordinator.url, 16)
      await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(100), 30_000)
      const started = performance.now()
      expect(await coordinator.stop()).toMatchObject({ code: 0, signal: null })
      expect(performance.now() - started).toBeLessThan(5_000 * dearness())
      load.stop()
      await load.done
    }
    expect(load.cut).toEqual([])
    expect(load.refused.filter((status) => status !== 503)).toEqual([])
    await using coordinator = await serving({ env })
    const { body } = await ask(`${coordinator.url}/services?fields=serviceId&limit=1`)
    expect(body.total).toBeGreaterThanOrEqual(load.acknowledged.length)
    for (const id of load.acknowledged.slice(-200))
      expect((await ask(`${coordinator.url}/services/${id}`)).status).toBe(200)
  })

  it('waits for a request that is still arriving, and closes connections at rest', async () => {
    await using coordinator = await serving()
    const { hostname, port } = new URL(coordinator.url)
    const idle = connect(Number(port), hostname)
    const slow = connect(Number(port), hostname)
    const body = JSON.stringify(registration('slow'))
    slow.write(
      `POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    )
    await isArriving(coordinator)
    const ended = coordinator.stop()
    await coordinator.process.wrote(/stopping/)
    slow.write(body.slice(10))
    let answer = ''
    for await (const chunk of slow) answer += chunk
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    expect(await ended).toMatchObject({ code: 0 })
    idle.destroy()
  })

  it('does not wait longer than SHUTDOWN_TIMEOUT_MS, and says with exit code 1 that it cut a request', async () => {
    await using coordinator = await serving({ env: { SHUTDOWN_TIMEOUT_MS: '500' } })
    await registerLarge(coordinator.url, 500)
    const { hostname, port } = new URL(coordinator.url)
    // More than the system takes for a client that reads nothing.
    const stuck = connect(Number(port), hostname).pause()
    stuck.on('error', () => undefined)
    stuck.write('GET /services?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await expect.poll(() => metric(coordinator, 'coordinator_http_unsent_bytes')).toBeGreaterThan(0)
    const started = performance.now()
    const { code, stdout } = await coordinator.stop()
    expect(code).toBe(1)
    expect(performance.now() - started).toBeLessThan(3_000 * dearness())
    expect(stdout).toMatch(/cut off/)
  })

  it('refuses a body that does not arrive before SHUTDOWN_TIMEOUT_MS, and ends with exit code 0', async () => {
    await using coordinator = await serving({ env: { SHUTDOWN_TIMEOUT_MS: '500' } })
    const { hostname, port } = new URL(coordinator.url)
    const half = connect(Number(port), hostname)
    half.write(
      'POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    )
    await isArriving(coordinator)
    const started = performance.now()
    const { code, stdout } = await coordinator.stop()
    expect(code).toBe(0)
    expect(performance.now() - started).toBeLessThan(3_000 * dearness())
    expect(stdout).not.toMatch(/cut off/)
    let answer = ''
    for await (const chunk of half) answer += chunk
    expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*COORD_SHUTTING_DOWN/)
  })

  it('stops at once at a second signal that comes later, and takes two that come together for one', async () => {
    await using coordinator = await serving({ env: { SHUTDOWN_TIMEOUT_MS: '60000' } })
    const { hostname, port } = new URL(coordinator.url)
    const slow = connect(Number(port), hostname)
    slow.on('error', () => undefined)
    slow.write(
      'POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    )
    await isArriving(coordinator)
    // As Ctrl-C does that reaches the process from the terminal and from npm.
    coordinator.process.kill('SIGINT')
    await coordinator.process.wrote(/stopping/)
    coordinator.process.kill('SIGINT')
    // Longer than two signals may lie apart to be one request.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(coordinator.process.output).not.toMatch(/stopped at once/)
    const started = performance.now()
    expect(await coordinator.stop('SIGTERM')).toMatchObject({ code: 1 })
    expect(performance.now() - started).toBeLessThan(1_000 * dearness())
    expect(coordinator.process.output).toMatch(/stopped at once/)
  })
})
