import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { cart, type ServerScope, withServer } from './with-server.ts'

// As many as one page holds.
const services = 448
const list = `GET /services?limit=${services} HTTP/1.1\r\nHost: x\r\n\r\n`
const stallTimeoutMs = 1_000

/** Makes the list of services an answer of 7 MiB; two of them are more than systems take for a client that reads nothing. */
async function registerLarge({ ask }: ServerScope): Promise<void> {
  const large = (n: number) => ({ ...cart, serviceName: `s${n}`, metadata: { text: 'x'.repeat(16_000) } })
  for (let start = 0; start < services; start += 64) {
    const json = Array.from({ length: 64 }, (_, at) => large(start + at))
    expect((await ask('/register/batch', { json })).body.failed).toBe(0)
  }
}

/** A connection, and the other end of it. */
async function connection({ port, server }: ServerScope): Promise<{ client: Socket; served: Socket }> {
  const served = once(server.app.server, 'connection')
  const client = connect(port, '127.0.0.1')
  client.on('error', () => undefined)
  return { client, served: (await served)[0] as Socket }
}

/** Reads until a text ends what has come, or the connection is over. @returns how many bytes, and the last of them */
async function readUntil(client: Socket, end: string): Promise<{ bytes: number; last: string }> {
  let bytes = 0
  let last = ''
  for await (const chunk of client.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    last = `${last}${(chunk as Buffer).toString('latin1')}`.slice(-500)
    if (last.endsWith(end)) break
  }
  return { bytes, last }
}

const listEnd = `"total":${services},"revision":${services}}`

describe('http: clients that take nothing', () => {
  it('of a large answer are cut off', () =>
    withServer(
      async (scope) => {
        await registerLarge(scope)
        const { client, served } = await connection(scope)
        client.pause().write(list.repeat(2))
        await once(served, 'close')
        expect((await readUntil(client, listEnd)).last.endsWith(listEnd)).toBe(false)
      },
      { stallTimeoutMs },
    ))

  it('for a while, and then read on, get all of it; their connection may rest for longer than that', () =>
    withServer(
      async (scope) => {
        await registerLarge(scope)
        const { client } = await connection(scope)
        for (const _ of [1, 2]) {
          client.write(list)
          await pause(stallTimeoutMs / 10)
          const { bytes, last } = await readUntil(client, listEnd)
          expect([bytes > services * 16_000, last.endsWith(listEnd)]).toEqual([true, true])
          await pause(stallTimeoutMs * 1.5)
        }
        client.destroy()
      },
      { stallTimeoutMs },
    ))

  it('because the answer after a large one is not there yet are not cut off', () =>
    withServer(
      async (scope) => {
        await registerLarge(scope)
        const { client } = await connection(scope)
        client.write(`${list}GET /changes?wait=2 HTTP/1.1\r\nHost: x\r\n\r\n`)
        const { last } = await readUntil(client, `"more":false,"revision":${services}}`)
        expect(last).toContain('"entries":[]')
        client.destroy()
      },
      { stallTimeoutMs },
    ))
})
