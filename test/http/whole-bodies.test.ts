import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { BodyReceiver } from '../../src/http/reading/receive-body.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

interface Taken {
  readonly body: unknown
  /** How many listeners the receiver has for parts of the body. */
  readonly listeners: number
  readonly ended: Promise<unknown>
}

/** Gives a connection to a server that does nothing but receive bodies, and what it has taken. */
async function withReceiver(
  run: (scope: {
    readonly socket: Socket
    /** Waits until this many bodies are taken. */
    readonly taken: (count: number) => Promise<readonly Taken[]>
    /** Waits for the next request, and until the receiver has decided how to read it. */
    readonly asked: () => Promise<IncomingMessage>
  }) => Promise<void>,
): Promise<void> {
  const bodies = new BodyReceiver({
    maxBytes: 1_048_576,
    metrics: createMetrics({ backend: 'memory', process: false }),
  })
  const all: Taken[] = []
  const server = createServer((request, response) => {
    const ended = once(request, 'end')
    bodies.receive(
      request,
      () => 'client',
      (error, body) => {
        all.push({ body: error ?? body, listeners: listenersOf(request), ended })
        response.end()
        server.emit('taken')
      },
    )
    setImmediate(() => server.emit('asked', request))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  try {
    await run({
      socket,
      taken: async (count) => {
        while (all.length < count) await once(server, 'taken')
        return all
      },
      asked: async () => (await once(server, 'asked'))[0] as IncomingMessage,
    })
  } finally {
    socket.destroy()
    server.close()
    await once(server, 'close')
  }
}

function listenersOf(request: IncomingMessage): number {
  return request.listenerCount('data')
}

const head = (length: number) =>
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

describe('a body that comes with the head of its request', () => {
  it('is read at once, without listening for parts, and the request ends', () =>
    withReceiver(async ({ socket, taken }) => {
      socket.write(`${head(7)}{"a":1}`)
      const [first] = await taken(1)
      expect(first).toMatchObject({ body: { a: 1 }, listeners: 0 })
      await first?.ended
    }))

  it('is not mixed with that of the next request in the same piece', () =>
    withReceiver(async ({ socket, taken }) => {
      socket.write(`${head(7)}{"a":1}${head(7)}{"a":2}`)
      const both = await taken(2)
      expect(both.map(({ body, listeners }) => ({ body, listeners }))).toEqual([
        { body: { a: 1 }, listeners: 0 },
        { body: { a: 2 }, listeners: 0 },
      ])
      await Promise.all(both.map(({ ended }) => ended))
    }))
})

it('a body that comes in parts is listened for', () =>
  withReceiver(async ({ socket, taken, asked }) => {
    socket.write(`${head(7)}{"a"`)
    expect(listenersOf(await asked())).toBe(1)
    socket.write(':1}')
    expect(await taken(1)).toMatchObject([{ body: { a: 1 } }])
  }))
