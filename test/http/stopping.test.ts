import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { dearness } from '../support/dearness.ts'
import { turns } from '../support/turns.ts'
import { until } from '../support/with-live.ts'
import { cart, forTest, register, withServer } from './with-server.ts'

const json = JSON.stringify(cart)

describe('http: stopping', () => {
  it('answers requests that wait for the database, with Connection: close, and closes the store after them', () =>
    withServer(async (scope) => {
      scope.store.next('commit', { does: 'delay', ms: 300 })
      const waiting = scope.ask('/register', { json: cart })
      await until(() => scope.live.figures.queueDepth === 1)
      const stopped = scope.server.stop()
      const { status, headers } = await waiting
      expect([status, headers.get('connection')]).toEqual([201, 'close'])
      expect(await stopped).toEqual({ cut: 0 })
      expect(scope.store.closed).toBe(true)
      await expect(scope.ask('/health')).rejects.toThrow()
    }))

  it('answers one more request on kept connections and asks to close them; cuts none of a busy client', () =>
    withServer(async ({ url, server }) => {
      const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
      const cut: string[] = []
      let [answered, running] = [0, true]
      const clients = agents.map(async (agent) => {
        while (running) {
          const outcome = await post(`${url}/register`, agent)
          if (typeof outcome === 'number') answered += 1
          else {
            if (outcome !== 'ECONNREFUSED') cut.push(outcome)
            return
          }
        }
      })
      await until(() => answered > 50)
      expect(await server.stop()).toEqual({ cut: 0 })
      running = false
      await Promise.all(clients)
      for (const agent of agents) agent.destroy()
      expect(cut).toEqual([])
    }))

  it('refuses writes that the database does not take in time, and tells them what is known', () =>
    withServer(
      async (scope) => {
        await register(scope)
        scope.store.outage({ does: 'lose reply' })
        const waiting = scope.ask('/register', { json: { ...cart, tags: ['late'] } })
        await until(() => scope.live.figures.queueDepth === 1)
        const started = performance.now()
        const stopped = scope.server.stop(2_500)
        const { status, body } = await waiting
        expect([status, body.outcome]).toEqual([503, 'unknown'])
        expect(await stopped).toEqual({ cut: 0 })
        expect(performance.now() - started).toBeLessThan(4_000 * dearness())
      },
      { options: { commitTimeoutMs: 60_000 } },
    ))

  it('waits for a request that is arriving, but not for ever: it refuses the rest, and cuts none off', () =>
    withServer(async ({ port, server, live }) => {
      const head = `POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n`
      const served: Socket[] = []
      server.app.server.on('connection', (socket: Socket) => served.push(socket))
      const [idle, slow, half, stuck] = Array.from({ length: 4 }, () => connect(port)) as [
        Socket,
        Socket,
        Socket,
        Socket,
      ]
      for (const socket of [idle, slow, half, stuck]) socket.on('error', () => undefined)
      slow.write(head + json.slice(0, 5))
      half.write(head + json.slice(0, 5))
      stuck.write(head.slice(0, -4))
      await until(() => served.length === 4 && served.filter(({ bytesRead }) => bytesRead > 0).length === 3)
      const started = performance.now()
      const stopped = server.stop(8_000)
      await turns()
      slow.write(json.slice(5))
      expect(await answerOf(slow)).toMatch(/^HTTP\/1\.1 201 [\s\S]*\r\nConnection: close\r\n/)
      for (const answer of [await answerOf(half), await answerOf(stuck)]) {
        expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nConnection: close\r\n/)
        expect(answer).toContain('"code":"COORD_SHUTTING_DOWN"')
        expect(answer).toContain('"outcome":"not_written"')
      }
      expect(await stopped).toEqual({ cut: 0 })
      // Long before the time is over.
      expect(performance.now() - started).toBeLessThan(5_000)
      expect(live.view.revision).toBe(1)
    }))

  it('cuts off a request that has no answer when the time is over, and says how many it cut', () =>
    withServer(
      async ({ port, server, log, nextRequest }) => {
        const arrived = nextRequest()
        const waiting = connect(port)
        waiting.on('error', () => undefined)
        waiting.write('GET /never HTTP/1.1\r\nHost: x\r\n\r\n')
        await arrived
        expect(await server.stop(1_000)).toEqual({ cut: 1 })
        expect(log.some((line) => line.includes('requests were cut off'))).toBe(true)
      },
      { prepare: ({ app }) => app.get('/never', forTest, () => new Promise(() => undefined)) },
    ))

  it('is not ready from then on, ends streams, and stops only once', () =>
    withServer(async ({ port, server }) => {
      const kept = connect(port)
      kept.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
      await new Promise((resolve) => kept.once('data', resolve))
      const [one, two] = [server.stop(), server.stop()]
      kept.write('GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n')
      let answer = ''
      for await (const chunk of kept) answer += chunk
      expect(answer).toMatch(/^HTTP\/1\.1 503 /)
      expect(answer).toContain('COORD_SHUTTING_DOWN')
      expect(await one).toBe(await two)
    }))

  it('ends a server that was never asked anything, and one that never loaded', async () => {
    await withServer(async ({ server }) => expect(await server.stop()).toEqual({ cut: 0 }))
    await withServer(async ({ server }) => expect(await server.stop()).toEqual({ cut: 0 }), {
      started: false,
    })
  })

  it('says what is wrong where it cannot listen', () =>
    withServer(async ({ port }) =>
      withServer(async ({ server }) => {
        await server.stop()
        await expect(server.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
          code: 'COORD_LISTEN_FAILED',
          detail: `127.0.0.1:${port} cannot be listened on (EADDRINUSE).`,
        })
      }),
    ))
})

async function answerOf(socket: Socket): Promise<string> {
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

/** Registers over a kept connection. @returns the status, or how the connection failed */
function post(url: string, agent: Agent): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>()
  const headers = { 'content-type': 'application/json', 'content-length': json.length }
  const sent = request(url, { agent, method: 'POST', headers }, (response) => {
    response.resume()
    response.on('end', () => resolve(response.statusCode ?? 0))
    response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
  })
  sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
  sent.end(json)
  return promise
}
