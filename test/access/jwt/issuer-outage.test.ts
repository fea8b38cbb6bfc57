import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { REFRESH_MS, SERVE_MS } from '../../../src/access/jwt/key-set.ts'
import { createKey, type Issuer, refusalOf, sendJson, withIssuer } from './with-issuer.ts'

/** An answer of an issuer that is ill, and what the log says about it. */
const ill: readonly (readonly [title: string, respond: RequestListener, text: RegExp])[] = [
  ['500', (_request, response) => void response.writeHead(500).end('{"keys":[]}'), /answered 500/],
  ['404', (_request, response) => void response.writeHead(404).end(), /answered 404/],
  [
    'a web page',
    (_request, response) => void response.end('<!doctype html><title>Sign in</title>'),
    /a web page/,
  ],
  ['half of a JSON document', (_request, response) => void response.end('{"keys":['), /not JSON/],
  ['nothing', (_request, response) => void response.end(), /not JSON/],
  ['JSON that is no key set', (_request, response) => sendJson(response, { message: 'hi' }), /not a key set/],
  ['null', (_request, response) => sendJson(response, null), /not a key set/],
  ['keys that are no list', (_request, response) => sendJson(response, { keys: {} }), /not a key set/],
  [
    '101 keys',
    (_request, response) => sendJson(response, { keys: Array.from({ length: 101 }, () => ({})) }),
    /more than 100 keys/,
  ],
  [
    '65 KiB',
    (_request, response) => sendJson(response, { keys: [], padding: 'x'.repeat(65 * 1024) }),
    /more than 65536 bytes/,
  ],
  [
    '20 MB that are small as long as they are packed',
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    /more than 65536 bytes/,
  ],
  [
    'a body without an end',
    (_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(16_384)));
      }
      response.on('drain', more)
      more()
    },
    /more than 65536 bytes/,
  ],
  [
    'a redirect',
    (_request, response) => void response.writeHead(302, { location: '/keys' }).end(),
    /answered 302: redirects/,
  ],
  ['a cut connection', (request) => void request.socket.destroy(), /cannot be reached/],
  [
    'a body that is cut',
    (_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 })
      response.write('{"keys":[', () => response.destroy())
    },
    /cannot be reached/,
  ],
  ['silence', () => undefined, /did not answer within 1000 ms/],
  [
    'a body that stops',
    (_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 })
      response.write('{"keys":[')
    },
    /did not answer within 1000 ms/,
  ],
]

/** Long for a busy machine, and short for the tests that wait for it. */
const timeoutMs = 1_000
/** Small as long as it is packed. */
const packed = gzipSync(Buffer.alloc(20_000_000, ' '))

/** Lets a fetch that is due happen: a token with an unknown key waits for it. */
async function fetchAgain(issuer: Issuer, verifier: ReturnType<Issuer['verifier']>): Promise<void> {
  const foreign = await createKey('ES256', 'unknown')
  await refusalOf(verifier.verify(await foreign.sign(issuer.claims())))
}

describe('an issuer whose keys cannot be fetched', () => {
  it.each(ill)(
    'that answers %s lets nobody in before keys are there, and is named in the log',
    (_title, respond, text) =>
      withIssuer(async (issuer) => {
        const key = await createKey('ES256', 'one')
        issuer.keys = [key.jwk]
        issuer.respond = respond
        const verifier = issuer.verifier({ timeoutMs, jwksUrl: `${issuer.jwksUrl}?apikey=hidden` })
        const token = await key.sign(issuer.claims())
        const refusal = await refusalOf(verifier.verify(token))
        expect(refusal).toMatchObject({ code: 'COORD_AUTH_UNAVAILABLE', retryAfterSeconds: 2 })
        expect(refusal.detail).not.toContain(issuer.url)
        expect(issuer.faults.map((fault) => fault?.detail)).toEqual([expect.stringMatching(text)])
        expect(JSON.stringify(issuer.faults[0]?.detail)).not.toContain('hidden')

        // Before the time for the next attempt, nobody asks again.
        await refusalOf(verifier.verify(token))
        expect(issuer.requests).toHaveLength(1)

        issuer.respond = undefined
        issuer.now += 2_000
        expect((await verifier.verify(token)).actor).toBe('jwt:ada')
        expect(issuer.faults).toHaveLength(2)
        expect(issuer.faults[1]).toBeUndefined()
      }),
  )

  it.each(ill)('that answers %s after a while leaves the known keys', (_title, respond, text) =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier({ timeoutMs })
      await verifier.verify(await key.sign(issuer.claims()))
      issuer.respond = respond
      issuer.now += REFRESH_MS
      await fetchAgain(issuer, verifier)
      expect(issuer.faults.at(-1)?.detail).toMatch(text)
      expect((await verifier.verify(await key.sign(issuer.claims({ sub: 'new' })))).actor).toBe('jwt:new')
    }),
  )

  it('that refuses connections serves with its known keys for an hour, and then nobody', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims({ exp: issuer.now / 1000 + 86_400 }))
      const principal = await verifier.verify(token)
      const { ended } = principal
      await issuer.close()

      issuer.now += SERVE_MS - 1
      await fetchAgain(issuer, verifier)
      expect(issuer.faults.at(-1)?.detail).toMatch(/cannot be reached \(ECONNREFUSED\)/)
      expect(verifier.verify(token)).toBe(principal)
      expect((await verifier.verify(await key.sign(issuer.claims({ sub: 'new' })))).actor).toBe('jwt:new')
      expect(ended?.aborted).toBe(false)

      issuer.now += 1
      expect(await refusalOf(verifier.verify(token))).toMatchObject({ code: 'COORD_AUTH_UNAVAILABLE' })
      expect(await refusalOf(verifier.verify(await key.sign(issuer.claims())))).toMatchObject({
        code: 'COORD_AUTH_UNAVAILABLE',
      })
    }))

  it('that is away for an hour ends the streams of its users with the next attempt', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims({ exp: issuer.now / 1000 + 86_400 }))
      const { ended } = await verifier.verify(token)
      await issuer.close()
      issuer.now += SERVE_MS
      await refusalOf(verifier.verify(token))
      expect(ended?.aborted).toBe(true)
      expect(verifier.figures.remembered).toBe(0)
    }))

  it('that is away does not touch tokens that were signed with the secret', () =>
    withIssuer(async (issuer) => {
      issuer.respond = (request) => void request.socket.destroy()
      const secret = 'a secret that is long enough for HS256'
      const verifier = issuer.verifier({ secret })
      const { SignJWT } = await import('jose')
      const token = await new SignJWT(issuer.claims())
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(secret))
      const principal = await verifier.verify(token)
      await fetchAgain(issuer, verifier)
      expect(verifier.verify(token)).toBe(principal)
    }))

  it('cannot say whether a new key is right: 503, and not 401', () =>
    withIssuer(async (issuer) => {
      const [key, next] = [await createKey('ES256', 'one'), await createKey('ES256', 'next')]
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      await verifier.verify(await key.sign(issuer.claims()))
      issuer.respond = (_request, response) => void response.writeHead(503).end()
      issuer.now += REFRESH_MS
      const refusal = await refusalOf(verifier.verify(await next.sign(issuer.claims())))
      expect(refusal).toMatchObject({
        code: 'COORD_AUTH_UNAVAILABLE',
        detail: expect.stringMatching(/new key/),
      })
    }))

  it('is asked less and less often, and at least every 30 seconds', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.respond = (_request, response) => void response.writeHead(500).end()
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims())
      const waits: (number | undefined)[] = []
      for (let attempt = 0; attempt < 7; attempt += 1) {
        const { retryAfterSeconds } = await refusalOf(verifier.verify(token))
        waits.push(retryAfterSeconds)
        issuer.now += (retryAfterSeconds ?? 0) * 1000
      }
      expect(waits).toEqual([2, 4, 8, 16, 30, 30, 30])
      expect(issuer.requests).toHaveLength(7)
      expect(issuer.faults).toHaveLength(1)
    }))

  it('does not hold up the stop of the coordinator', () =>
    withIssuer(async (issuer) => {
      const asked = new Promise<void>((resolve) => {
        issuer.respond = () => resolve()
      })
      const verifier = issuer.verifier({ timeoutMs: 600_000 })
      const key = await createKey('ES256', 'one')
      const answer = refusalOf(verifier.verify(await key.sign(issuer.claims())))
      await asked
      verifier.stop()
      expect((await answer).code).toBe('COORD_AUTH_UNAVAILABLE')
      expect(issuer.faults).toEqual([])
    }))

  it('that does not speak HTTP is named in the log', async () => {
    const server = createServer((socket) => void socket.end('220 mail.example.org ESMTP\r\n'))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as { port: number }
    try {
      await withIssuer(async (issuer) => {
        const key = await createKey('ES256', 'one')
        const verifier = issuer.verifier({ jwksUrl: `http://127.0.0.1:${port}/keys` })
        await refusalOf(verifier.verify(await key.sign(issuer.claims())))
        expect(issuer.faults[0]?.detail).toMatch(/cannot be reached \(HTTPParserError\)/)
      })
    } finally {
      server.close()
    }
  })

  it('is asked in the background from the start, and tokens that come meanwhile wait', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      verifier.start()
      const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => key.sign(issuer.claims({ sub }))))
      await Promise.all(tokens.map((token) => verifier.verify(token)))
      expect(issuer.requests).toHaveLength(1)
    }))

  it('survives a clock that is set back', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      await verifier.verify(await key.sign(issuer.claims()))
      issuer.now -= 86_400_000
      await verifier.verify(await key.sign(issuer.claims({ sub: 'later' })))
      expect(issuer.requests).toHaveLength(2)
    }))
})
