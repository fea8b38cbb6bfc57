import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { cart, type ServerScope, withServer } from './with-server.ts'

const metadata = { text: 'x'.repeat(16_000) }
const large = (name: string) =>
  Array.from({ length: 60 }, (_, at) => ({ ...cart, serviceName: `${name}${at}`, metadata }))

async function register({ ask }: ServerScope, name: string): Promise<void> {
  expect((await ask('/register/batch', { json: large(name) })).body.failed).toBe(0)
}

async function metric({ ask }: ServerScope, name: string): Promise<number> {
  const { text } = await ask('/metrics')
  return Number(new RegExp(`^coordinator_http_${name} (.*)$`, 'm').exec(text)?.[1])
}

/** Clients that read nothing, and keep all the room there is for answers. */
async function fillRoom(scope: ServerScope): Promise<{ leave(): void }> {
  for (let at = 0; at < 7; at += 1) await register(scope, `room${at}-`)
  const sockets = Array.from({ length: 3 }, () => connect(scope.port, '127.0.0.1').pause())
  for (const socket of sockets)
    socket.on('error', () => undefined).write('GET /services?limit=420 HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect.poll(() => metric(scope, 'answers_waiting')).toBeGreaterThan(0)
  return {
    leave() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

describe('http: answers that come too late', () => {
  it('are not sent: the client was told already that the time is over', () =>
    withServer(
      async (scope) => {
        const readers = await fillRoom(scope)
        const waiting = await metric(scope, 'answers_waiting')
        const poll = scope.ask('/changes?wait=20&limit=100')
        await register(scope, 'late')
        expect(await poll).toMatchObject({ status: 503, body: { code: 'COORD_QUESTION_TOO_LARGE' } })
        expect(await metric(scope, 'answers_waiting')).toBeGreaterThan(waiting)
        readers.leave()
        await expect.poll(() => metric(scope, 'unsent_bytes')).toBe(0)
        expect(await metric(scope, 'answers_waiting')).toBe(0)
      },
      { unsentMaxMib: 8, questionTimes: { presentMs: 700, pastMs: 700 } },
    ))

  it('do not hold up the metrics, however large they are', () =>
    withServer(
      async (scope) => {
        const readers = await fillRoom(scope)
        const { status, text } = await scope.ask('/metrics')
        expect(status).toBe(200)
        // Shorter ones never wait.
        expect(text.length).toBeGreaterThan(65_536)
        expect(await metric(scope, 'answers_waiting')).toBeGreaterThan(0)
        readers.leave()
      },
      { unsentMaxMib: 8 },
    ))

  it('give the room back that was reserved for them, also where nothing but the head is sent', () =>
    withServer(
      async (scope) => {
        const readers = await fillRoom(scope)
        const poll = connect(scope.port, '127.0.0.1')
        // From now on: what is registered before it arrives would be no news for it.
        const arrived = scope.nextRequest()
        poll.write('HEAD /changes?wait=20&limit=100 HTTP/1.1\r\nHost: x\r\n\r\n')
        await arrived
        const before = await metric(scope, 'answers_waiting')
        await register(scope, 'late')
        await expect.poll(() => metric(scope, 'answers_waiting')).toBeGreaterThan(before)
        const answered = once(poll, 'data')
        readers.leave()
        expect(String(await answered)).toMatch(/^HTTP\/1.1 200/)
        await expect.poll(() => metric(scope, 'unsent_bytes')).toBe(0)
        poll.destroy()
      },
      { unsentMaxMib: 8 },
    ))
})
