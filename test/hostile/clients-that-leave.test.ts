import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'

const request = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`

/** Sends bytes over a connection of its own. */
async function send({ url }: Serving, bytes: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  await new Promise((resolve) => socket.write(bytes, resolve))
  return socket
}

/** What the coordinator holds for clients. */
async function held({ url }: Serving): Promise<Record<string, number>> {
  const { body } = await ask(`${url}/metrics`)
  const value = (name: string) => Number(new RegExp(`^coordinator_${name} (.*)$`, 'm').exec(body)?.[1])
  return {
    unsentBytes: value('http_unsent_bytes'),
    answersWaiting: value('http_answers_waiting'),
    streams: value('http_streams'),
    wholeStreams: value('http_whole_streams'),
    bodyBytes: value('http_body_bytes'),
    pastWaiting: value('past_reads_waiting'),
    pastUnderWay: value('past_reads_under_way'),
  }
}

const nothing = {
  ...{ unsentBytes: 0, answersWaiting: 0, streams: 0, wholeStreams: 0, bodyBytes: 0 },
  ...{ pastWaiting: 0, pastUnderWay: 0 },
}

describe('clients that leave', () => {
  it('after CONNECT end nothing but their connection', async () => {
    await using coordinator = await serving()
    for (let at = 0; at < 40; at += 1) {
      const socket = await send(
        coordinator,
        `CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n${'x'.repeat(at * 5_000)}`,
      )
      if (at % 2 === 0) await once(socket, 'data')
      socket.resetAndDestroy()
    }
    expect((await ask(`${coordinator.url}/health/live`)).status).toBe(200)
    expect(coordinator.process.child.exitCode).toBeNull()
  })

  it('before the answers to requests that they sent one after the other leave nothing behind', async () => {
    await using coordinator = await serving()
    const metadata = { fill: 'x'.repeat(16_000) }
    const services = Array.from({ length: 50 }, (_, at) => registration(`s${at}`, { metadata }))
    expect((await ask(`${coordinator.url}/register/batch`, 'POST', services)).body.failed).toBe(0)
    const follows = request('/changes', 'Accept: text/event-stream\r\n')
    const sockets: Socket[] = []
    for (let at = 0; at < 10; at += 1) {
      sockets.push(await send(coordinator, request('/changes?wait=1').repeat(30)))
      sockets.push(await send(coordinator, follows + request('/snapshot')))
      sockets.push(await send(coordinator, follows.repeat(3)))
      sockets.push(await send(coordinator, follows + request('/services') + request('/services?asOf=now')))
    }
    await expect.poll(async () => (await held(coordinator))['streams']).toBe(50)
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => held(coordinator)).toEqual(nothing)
    expect((await fetch(`${coordinator.url}/snapshot`)).status).toBe(200)
    expect(coordinator.process.output).not.toContain('MaxListenersExceededWarning')
    expect((await coordinator.stop()).code).toBe(0)
  })
})
