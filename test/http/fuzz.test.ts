import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { bytesOf, hostileRequest, noise } from './hostile-requests.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

const runs = Number(process.env['FUZZ_RUNS'] ?? 3_000)

/** @param ends whether the client says that it will send no more */
function exchange(port: number, bytes: Buffer, ends = false): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setTimeout(10_000, () => reject(new Error(`no answer to ${bytes.subarray(0, 500)}`)))
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    socket.setTimeout(0)
    resolve(received)
  })
  if (ends) socket.end(bytes)
  else socket.write(bytes)
  return promise
}

interface Part {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** The answers that came over one connection, in order. A chunked one can only be the last. */
function partsOf(received: string, method: string): Part[] {
  const parts: Part[] = []
  for (let rest = received; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n') + 4
    const head = rest.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    expect([status > 0, end > 3, head.slice(0, 40)]).toEqual([true, true, head.slice(0, 40)])
    const bodiless = status < 200 || status === 304 || (method === 'HEAD' && head.includes('X-Request-Id'))
    const length = bodiless ? 0 : Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1] ?? rest.length)
    const body = rest.slice(end, end + length)
    parts.push({ status, head, body: Buffer.from(body, 'latin1').toString() })
    rest = rest.slice(end + length)
  }
  return parts
}

/** What must hold for every answer, whatever was asked. */
function check(received: string, method: string): void {
  expect(received).not.toMatch(/node:internal|node_modules|\.ts:\d+|Error:/)
  for (const { status, head, body } of partsOf(received, method)) {
    // Waiting for a revision that does not come is the one thing that may take too long.
    if (status !== 504) expect(status).toBeLessThan(500)
    expect(head).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n|^HTTP\/1\.1 100 /)
    if (status < 400 || method === 'HEAD') continue
    expect(head).toMatch(/\r\nContent-Type: application\/problem\+json; charset=utf-8\r\n/)
    const problem = JSON.parse(body)
    expect(Object.keys(ERRORS)).toContain(problem.code)
    expect(problem).toMatchObject({ status, success: false, hint: expect.stringMatching(/./) })
  }
}

async function namesOf(scope: ServerScope): Promise<Record<string, string>> {
  const gone = await register(scope, { ...cart, serviceName: 'gone' })
  await scope.ask(`/services/${gone}`, { method: 'DELETE' })
  const id = await register(scope, { ...cart, serviceName: 'known' })
  const etag = (await scope.ask(`/services/${id}`)).headers.get('etag') ?? ''
  return { id, gone, etag, lineage: scope.live.view.lineage, node: 'service:known' }
}

describe('http: whatever is sent', () => {
  it('is answered without a fault of ours, a stack, or an end of the process', { timeout: 300_000 }, () =>
    withServer(
      async (scope) => {
        const names = await namesOf(scope)
        await fc.assert(
          fc.asyncProperty(hostileRequest, async (sent) => {
            const bytes = bytesOf(sent, names)
            const answer = await exchange(scope.port, bytes)
            expect(answer).not.toBe('')
            check(answer, sent.method)
          }),
          { numRuns: runs },
        )
        expect((await scope.ask('/health')).body.status).toBe('ok')
        expect(scope.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
        // What was stored can be read, by every way.
        const { total } = (await scope.ask('/services?limit=1')).body
        const lines = await scope.ask('/services', { headers: { accept: 'application/x-ndjson' } })
        expect(lines.text.split('\n').length - 1).toBe(total)
      },
      { options: { revisionTimeoutMs: 20 } },
    ),
  )

  it('is answered, or the connection ended, also where it is no HTTP', { timeout: 120_000 }, () =>
    withServer(async (scope) => {
      await fc.assert(
        fc.asyncProperty(noise, async (bytes) => {
          // The end of the head makes sure that it is not taken for the beginning of one.
          const answer = await exchange(
            scope.port,
            Buffer.concat([bytes, Buffer.from('\r\n\r\n0\r\n\r\nx\r\n\r\n')]),
            true,
          )
          check(answer, 'GET')
        }),
        { numRuns: runs / 5 },
      )
      expect((await scope.ask('/health')).body.status).toBe('ok')
      expect(scope.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
    }),
  )
})
