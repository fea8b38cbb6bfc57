import { Agent, request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { withServer } from '../http/with-server.ts'

interface Sent {
  readonly method: string
  readonly path: string
  readonly from: string
  readonly body?: string
}

/** A server, and requests that come from several addresses of this machine. */
function sender(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 })
  const send = ({ method, path, from, body = '' }: Sent) =>
    new Promise<number>((resolve, reject) => {
      const headers = body === '' ? {} : { 'content-type': 'application/json', 'content-length': body.length }
      const options = { host: '127.0.0.1', port, agent, localAddress: from, method, path, headers }
      request(options, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
        .on('error', reject)
        .end(body)
    })
  return { send, [Symbol.dispose]: () => agent.destroy() }
}

const floods = 30
const item = { version: '1.0.0', endpoint: 'http://s:1', metadata: { filling: 'x'.repeat(300) } }
const batch = (number: number) =>
  JSON.stringify(Array.from({ length: 1_000 }, (_, at) => ({ ...item, serviceName: `s-${number}-${at}` })))

describe('one client that sends as many batches as it can', () => {
  it('delays another one by some of them, and not by all', () =>
    withServer(async ({ port, ask }) => {
      using requests = sender(port)
      const { send } = requests
      for (let at = 0; at < 3; at += 1)
        expect((await ask('/register/batch', { json: batch(1_000 + at) })).status).toBe(200)
      let ended = 0
      const flood = Array.from({ length: floods }, async (_, at) => {
        await send({ method: 'POST', path: '/register/batch', from: '127.0.0.2', body: batch(at) })
        ended += 1
      })
      const body = JSON.stringify({ ...item, serviceName: 'other' })
      for (let at = 0; at < 3; at += 1) {
        const answers = [
          await send({ method: 'POST', path: '/register', from: '127.0.0.1', body }),
          await send({ method: 'GET', path: '/services?limit=500', from: '127.0.0.1' }),
        ]
        expect(answers).toEqual([at === 0 ? 201 : 200, 200])
      }
      expect(ended).toBeLessThan(floods / 2)
      await Promise.all(flood)
    }))
})
