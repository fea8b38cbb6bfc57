import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { descriptorLimit, descriptorsForClients } from '../../src/http/lifecycle/descriptor-limit.ts'
import { withServer } from '../http/with-server.ts'
import { ask, registration, scratchFolder, serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

interface Held {
  readonly socket: Socket
  readonly answer: () => string
}

async function hold(port: number): Promise<Held> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk
  })
  socket.on('error', () => undefined)
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  return { socket, answer: () => answer }
}

describe('connections', () => {
  it('beyond the limit are told to come back, counted, and logged once in a while', () =>
    withServer(
      async ({ port, ask, metrics, log }) => {
        const held: Held[] = []
        for (let count = 0; count < 20; count += 1) held.push(await hold(port))
        const refused = () => held.filter(({ answer }) => answer() !== '')
        await expect.poll(() => refused().length).toBe(10)
        for (const { answer } of refused()) {
          const [head = '', body = ''] = answer().split('\r\n\r\n', 2)
          expect(head).toMatch(/^HTTP\/1\.1 503 /)
          expect(head).toMatch(/^Retry-After: \d+/m)
          expect(JSON.parse(body)).toMatchObject({ code: 'COORD_CONNECTIONS_FULL', status: 503 })
        }
        const text = await metrics.text()
        expect(text).toMatch(/^coordinator_http_connections 10$/m)
        expect(text).toMatch(/^coordinator_http_connections_max 10$/m)
        expect(text).toMatch(/^coordinator_http_connections_refused_total\{reason="limit"\} 10$/m)
        expect(log.filter((line) => line.includes('connections are refused'))).toHaveLength(1)
        for (const { socket } of held) socket.destroy()
        await expect.poll(async () => (await ask('/health/live').catch(() => undefined))?.status).toBe(200)
      },
      { settings: { connectionsMax: 10 } },
    ))

  it('that the system cannot give are counted and logged, and end nothing', () =>
    withServer(async ({ ask, server, metrics, log }) => {
      server.app.server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
      expect((await ask('/health/live')).status).toBe(200)
      expect(await metrics.text()).toMatch(
        /^coordinator_http_connections_refused_total\{reason="system"\} 1$/m,
      )
      expect(log.filter((line) => line.includes('EMFILE'))).toHaveLength(1)
    }))

  it('leave descriptors for the database', () => {
    expect(descriptorLimit()).toBeGreaterThan(0)
    expect(descriptorsForClients(20_000)).toBe(19_744)
    expect(descriptorsForClients(1_024)).toBe(768)
    expect(descriptorsForClients(100)).toBe(50)
  })

  itWith('bash')(
    'as many as the system has descriptors for: the coordinator stores and answers meanwhile and afterwards',
    async () => {
      await using folder = await scratchFolder()
      await using coordinator = await serving({
        descriptors: 240,
        env: { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` },
      })
      const port = Number(new URL(coordinator.url).port)
      // Its own connection is there before the others come.
      const known = await hold(port)
      const held: Held[] = []
      for (let count = 0; count < 400; count += 1) held.push(await hold(port))
      const body = JSON.stringify(registration('cart'))
      known.socket.write(
        `POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      await expect.poll(() => known.answer()).toMatch(/^HTTP\/1\.1 201 /)
      // The system says "connected" before the process has accepted: ask until it has met them all.
      await expect
        .poll(
          () => {
            known.socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
            return known.answer()
          },
          { interval: 100 },
        )
        .toMatch(/^coordinator_http_connections_refused_total\{reason="limit"\} 28[0-9]$/m)
      for (const { socket } of held) socket.destroy()
      await expect
        .poll(async () => (await ask(`${coordinator.url}/health`).catch(() => undefined))?.status)
        .toBe(200)
      expect((await ask(`${coordinator.url}/services`)).body.total).toBe(1)
      expect(coordinator.process.output).toMatch(/limit of open files leaves room for 120 connections/)
      expect(coordinator.process.output).toMatch(/connections are refused/)
      known.socket.destroy()
    },
  )
})
