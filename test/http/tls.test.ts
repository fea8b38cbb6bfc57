import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { askSecurely, authority, connectSecurely, readToEnd, testFile } from '../support/tls-client.ts'
import { cart, type ServerScope, type ServerSetup, withServer } from './with-server.ts'

const tls = { tlsCertFile: testFile('web.crt'), tlsKeyFile: testFile('web.key') }

function withTls(body: (scope: ServerScope) => Promise<void>, setup: ServerSetup = {}): Promise<void> {
  return withServer(body, { ...setup, settings: { ...tls, ...setup.settings } })
}

/** A connection without a handshake, and whether it has ended. */
async function connectPlainly(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function ended(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk
  })
  if (!socket.closed) await once(socket, 'close')
  return text
}

async function figure(scope: ServerScope, name: string): Promise<number> {
  const lines = (await scope.metrics.text()).split('\n')
  return Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1] ?? 0)
}

const connections = (scope: ServerScope) => figure(scope, 'coordinator_http_connections')
const failed = 'coordinator_http_connections_refused_total{reason="tls"}'
const head = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n`

describe('a server with TLS_CERT_FILE and TLS_KEY_FILE', () => {
  it('answers over HTTPS, names it in its URL, and logs its certificate', () =>
    withTls(async ({ url, log }) => {
      expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
      expect(await askSecurely(`${url}/register`, { json: cart, method: 'POST' })).toMatchObject({
        status: 201,
      })
      expect((await askSecurely(`${url}/services`)).body.total).toBe(1)
      const named = url.replace('127.0.0.1', 'localhost')
      expect((await askSecurely(`${named}/services`)).status).toBe(200)
      expect(log.map((line) => JSON.parse(line))).toContainEqual(
        expect.objectContaining({
          msg: 'the certificate is in use',
          names: 'DNS:localhost, IP Address:127.0.0.1',
          validTo: '2120-01-01T00:00:00.000Z',
        }),
      )
    }))

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', (version) =>
    withTls(async ({ port }) => {
      const socket = await connectSecurely(port, { minVersion: version, maxVersion: version })
      expect(socket.getProtocol()).toBe(version)
      socket.write(`${head('/services')}Connection: close\r\n\r\n`)
      expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 200 /)
    }),
  )

  it('refuses TLS 1.1', () =>
    withTls(async ({ port }) => {
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
      await expect(connectSecurely(port, old)).rejects.toMatchObject({
        code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      })
    }))

  it('warns of a certificate that has expired', () =>
    withTls(
      async ({ log }) => {
        expect(log.filter((line) => line.includes('the certificate has expired'))).toHaveLength(1)
      },
      { settings: { tlsCertFile: testFile('expired.crt'), tlsKeyFile: testFile('expired.key') } },
    ))

  it('closes a connection that speaks HTTP to it, counts it, and says what is wrong', () =>
    withTls(async (scope) => {
      for (let count = 0; count < 3; count += 1) {
        const socket = await connectPlainly(scope.port)
        socket.write(`${head('/services')}\r\n`)
        expect(await ended(socket)).not.toContain('HTTP/1.1')
      }
      expect(await figure(scope, failed)).toBe(3)
      expect(scope.log.filter((line) => line.includes('speaks HTTP to the port of HTTPS'))).toHaveLength(1)
      expect(await connections(scope)).toBe(0)
    }))

  it('answers a malformed request over the encrypted connection', () =>
    withTls(async ({ port }) => {
      const socket = await connectSecurely(port)
      socket.write('NONSENSE\r\n\r\n')
      expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 400 .*COORD_REQUEST_MALFORMED/s)
    }))

  it('is not disturbed by connections that are opened and left', () =>
    withTls(async (scope) => {
      for (let count = 0; count < 5; count += 1) (await connectPlainly(scope.port)).destroy()
      await expect.poll(() => connections(scope)).toBe(0)
      expect(await figure(scope, failed)).toBe(0)
      expect((await askSecurely(`${scope.url}/services`)).status).toBe(200)
    }))
})

describe('clients of TLS that take their time', () => {
  it.each([
    ['nothing', ''],
    ['the beginning of a handshake', '\x16\x03\x01\x02\x00\x01'],
  ])('and send %s are disconnected after the time for a handshake', (_what, bytes) =>
    withTls(
      async (scope) => {
        const socket = await connectPlainly(scope.port)
        socket.write(Buffer.from(bytes, 'latin1'))
        await expect.poll(() => connections(scope)).toBe(1)
        await ended(socket)
        await expect.poll(() => connections(scope)).toBe(0)
        expect(await figure(scope, failed)).toBe(1)
      },
      { handshakeTimeoutMs: 300 },
    ),
  )

  it('with a request are answered with 408 after the time for a request', () =>
    withTls(
      async ({ port }) => {
        const socket = await connectSecurely(port)
        socket.write(head('/services'))
        expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 .*COORD_REQUEST_TIMEOUT/s)
      },
      { requestTimeoutMs: 300 },
    ))

  it('with a body are answered with 408 after the time for its length', () =>
    withTls(
      async ({ port }) => {
        const socket = await connectSecurely(port)
        socket.write(
          'POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
        )
        expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 .*COORD_REQUEST_TIMEOUT/s)
      },
      { bodyGraceMs: 300 },
    ))

  it('with a large answer are disconnected, and those that read slowly get all of it', () =>
    withTls(
      async (scope) => {
        const large = (n: number) => ({
          ...cart,
          serviceName: `s${n}`,
          metadata: { text: 'x'.repeat(16_000) },
        })
        for (let start = 0; start < 448; start += 64) {
          const json = Array.from({ length: 64 }, (_, at) => large(start + at))
          await askSecurely(`${scope.url}/register/batch`, { method: 'POST', json })
        }
        const list = `${head('/services?limit=448')}\r\n`
        const served = once(scope.server.app.server, 'secureConnection')
        const stalled = await connectSecurely(scope.port)
        stalled.pause().write(list.repeat(2))
        const [socket] = (await served) as [Socket]
        if (!socket.closed) await once(socket, 'close')
        await expect.poll(() => connections(scope)).toBe(0)

        const slow = await connectSecurely(scope.port)
        slow.write(`${head('/services?limit=448')}Connection: close\r\n\r\n`)
        let bytes = 0
        let last = ''
        for await (const chunk of slow) {
          bytes += chunk.length
          last = chunk.toString('latin1')
          if (bytes < 1_048_576) await new Promise((resolve) => setImmediate(resolve))
        }
        expect(bytes).toBeGreaterThan(448 * 16_000)
        expect(last.endsWith('"revision":448}')).toBe(true)
      },
      { stallTimeoutMs: 1_000 },
    ))
})

describe('connections of TLS', () => {
  it('count from the moment they are accepted; those beyond the limit are closed', () =>
    withTls(
      async (scope) => {
        const held: Socket[] = []
        for (let count = 0; count < 5; count += 1) held.push(await connectSecurely(scope.port))
        for (let count = 0; count < 5; count += 1) held.push(await connectPlainly(scope.port))
        await expect.poll(() => connections(scope)).toBe(10)
        await expect(connectSecurely(scope.port)).rejects.toMatchObject({ code: 'ECONNRESET' })
        expect(await figure(scope, 'coordinator_http_connections_refused_total{reason="limit"}')).toBe(1)
        for (const socket of held) socket.destroy()
        await expect.poll(() => connections(scope)).toBe(0)
        expect((await askSecurely(`${scope.url}/services`)).status).toBe(200)
      },
      { settings: { connectionsMax: 10 } },
    ))

  it('end with the server: idle ones and handshakes at once, requests after their answer, heads with 503', () =>
    withTls(async (scope) => {
      const { port, server, url } = scope
      await askSecurely(`${url}/register`, { method: 'POST', json: cart })
      const idle = await connectSecurely(port)
      const silent = await connectPlainly(port)
      const begun = await connectPlainly(port)
      begun.write(Buffer.from('160301020001', 'hex'))
      const used = await connectSecurely(port)
      used.write(`${head('/services')}\r\n`)
      await once(used, 'data')
      const waiting = await connectSecurely(port)
      waiting.write(`${head('/changes?after=1&wait=30')}\r\n`)
      await scope.nextRequest()
      const partial = await connectSecurely(port)
      partial.write(head('/services'))
      await expect.poll(() => connections(scope)).toBe(6)
      const ends = [idle, silent, begun, used].map(ended)
      const answered = readToEnd(waiting)
      const refused = readToEnd(partial)
      const report = await server.stop(4_000)
      expect(report).toEqual({ cut: 0 })
      await Promise.all(ends)
      expect(await answered).toMatch(/^HTTP\/1\.1 200 .*connection: close/is)
      expect(await refused).toMatch(/^HTTP\/1\.1 503 .*COORD_SHUTTING_DOWN/s)
      await expect(connectSecurely(port, { ca: authority })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    }))
})
