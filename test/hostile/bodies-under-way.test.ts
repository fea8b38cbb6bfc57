import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { cart, withServer } from '../http/with-server.ts'
import { ask, serving } from '../main/coordinator-process.ts'
import { ProcessFigures } from './process-figures.ts'

const mib = 1_048_576
const head = (length: number | 'chunked') =>
  [
    'POST /register HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`,
    '\r\n',
  ].join('\r\n')

/** A connection from an address of this machine, and what it was answered. */
class Client {
  readonly socket: Socket
  readonly closed: Promise<unknown>
  answer = ''

  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress })
    this.socket.on('data', (chunk: Buffer) => {
      this.answer += chunk
    })
    this.socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => this.socket.once('close', resolve))
  }

  async write(bytes: string | Buffer): Promise<void> {
    // A connection that was ended meanwhile is for the test to notice by its answer.
    await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()))
  }

  get status(): number | undefined {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(this.answer)?.[1]
    return status === undefined ? undefined : Number(status)
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  get problem(): any {
    return JSON.parse(this.answer.slice(this.answer.indexOf('\r\n\r\n') + 4))
  }
}

async function metric(url: string, name: string): Promise<number> {
  const { body } = await ask(`${url}/metrics`)
  const line = (body as string).split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.split(' ')[1])
}

const held = 'coordinator_http_body_bytes'
const refused = (reason: string) => `coordinator_http_bodies_refused_total{reason="${reason}"}`

describe('bodies under way', () => {
  it('take no more than their bytes, a quarter for one address; the others are told to come back', () =>
    withServer(
      async ({ url, port, ask }) => {
        const one = [new Client(port), new Client(port)]
        const part = Buffer.alloc(600_000, 0x20)
        for (const client of one) await client.write(head(mib))
        await one[0]?.write(part)
        await expect.poll(() => metric(url, held)).toBeGreaterThan(600_000)
        await one[1]?.write(part)
        // A quarter of 4 MiB is 1 MiB: the second has no room.
        await expect.poll(() => one[1]?.status).toBe(503)
        expect(one[1]?.problem).toMatchObject({ code: 'COORD_RECEIVE_FULL', outcome: 'not_written' })
        expect(one[1]?.answer).toMatch(/^Retry-After: \d+/m)
        expect(await metric(url, refused('client'))).toBe(1)
        // Whoever sends a little is served meanwhile, from the same address too.
        expect((await ask('/register', { json: cart })).status).toBe(201)
        const others = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'].map(
          (address) => new Client(port, address),
        )
        for (const client of others) {
          await client.write(head(mib))
          await client.write(Buffer.alloc(900_000, 0x20))
        }
        await expect.poll(() => others.filter(({ status }) => status === 503).length).toBe(1)
        expect(await metric(url, refused('full'))).toBe(1)
        expect(await metric(url, held)).toBeLessThanOrEqual(4 * mib)
        for (const { socket } of [...one, ...others]) socket.destroy()
        await expect.poll(() => metric(url, held)).toBe(0)
      },
      { settings: { bodiesMaxBytes: 4 * mib } },
    ))

  it('that come too slowly are told so, and the connection ended; what is fast enough is not', () =>
    withServer(
      async ({ url, port }) => {
        const slow = new Client(port)
        await slow.write(`${head('chunked')}1\r\n{\r\n`)
        // For each 64 KiB it may take a second longer.
        const large = new Client(port)
        await large.write(head(mib))
        await large.write(Buffer.alloc(mib - 1, 0x20))
        await slow.closed
        expect(slow.status).toBe(408)
        expect(slow.problem).toMatchObject({ code: 'COORD_REQUEST_TIMEOUT', outcome: 'not_written' })
        expect(slow.answer).toMatch(/^Connection: close/m)
        expect(await metric(url, refused('slow'))).toBe(1)
        await large.write('1')
        await expect.poll(() => large.status).toBe(400)
        large.socket.destroy()
        expect(await metric(url, held)).toBe(0)
      },
      { bodyGraceMs: 200 },
    ))

  it('are received right, whatever pieces they come in', () =>
    withServer(async ({ port, live }) => {
      const bytes = Buffer.from(JSON.stringify({ ...cart, description: 'ü€😀'.repeat(300) }))
      const client = new Client(port)
      await client.write(head('chunked'))
      for (const byte of bytes) client.socket.write(Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]))
      client.socket.write('0\r\n\r\n')
      await expect.poll(() => client.status).toBe(201)
      client.socket.destroy()
      const [record] = [...live.view.records.of('service')]
      expect(JSON.parse(record?.data ?? '{}').description).toBe('ü€😀'.repeat(300))
    }))

  it('in pieces of one byte hold not much more than their bytes', async () => {
    await using coordinator = await serving()
    const figures = new ProcessFigures(coordinator.process.child.pid as number)
    const before = figures.rssMiB
    const piece = Buffer.from('1\r\n \r\n'.repeat(10_000))
    const client = new Client(Number(new URL(coordinator.url).port))
    await client.write(head('chunked'))
    for (let sent = 0; sent < 150_000; sent += 10_000) await client.write(piece)
    await expect.poll(() => metric(coordinator.url, held)).toBeGreaterThan(150_000)
    expect(await metric(coordinator.url, held)).toBeLessThan(400_000)
    expect(figures.rssMiB - before).toBeLessThan(40)
    client.socket.destroy()
    await expect.poll(() => metric(coordinator.url, held)).toBe(0)
  })
})
