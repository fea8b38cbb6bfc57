import { describe, expect, it } from 'vitest'
import { createTokenText } from '../../src/access/token-format.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { adminToken, bearer, metricsToken, withAccess } from './with-access.ts'
import { cart } from './with-server.ts'

/** A JWT that nobody signed. */
const jwt = `eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"sub":"canary-of-the-claims"}').toString('base64url')}.c2lnbmF0dXJlLWNhbmFyeQ`

/** Pieces of a credential, each long enough to be no accident. */
function piecesOf(text: string): string[] {
  return text.split(/[._ ]/).flatMap((part) => (part.length < 16 ? [] : [part, part.slice(4, 20)]))
}

describe('http: credentials', () => {
  it('appear nowhere: in no answer, no header, no line of the log, no metric, whatever goes wrong', () =>
    withAccess(
      async (scope) => {
        const { ask, raw, access, log, metrics, later } = scope
        const good = await scope.tokenWith(['read', 'register:*'])
        const expired = await scope.tokenWith(['admin'], Date.now() + 1_000)
        const revoked = await scope.tokenWith(['admin'])
        await access.revokeToken(revoked.id, 'test')
        later(2_000)
        const unknown = createTokenText().token
        const seen: string[] = []
        const credentials = [good.token, expired.token, revoked.token, unknown, adminToken, metricsToken, jwt]
        const damaged = credentials.flatMap((text) => [
          `${text}x`,
          text.slice(0, -2),
          `"${text}"`,
          `${text}, ${text}`,
        ])

        async function note(path: string, request: Parameters<typeof ask>[1]): Promise<void> {
          const { text, headers } = await ask(path, request)
          seen.push(text, JSON.stringify([...headers]))
        }

        for (const text of [...credentials, ...damaged]) {
          for (const authorization of [
            `Bearer ${text}`,
            `bearer  ${text}`,
            `Basic ${text}`,
            `Token ${text}`,
            text,
          ]) {
            const headers = { authorization }
            await note('/access', { headers })
            await note('/nowhere', { headers, method: 'PATCH' })
            await note('/services/%zz', { headers })
            await note('/register', { headers, json: '{"serviceName":' })
            await note('/register', { headers, json: { ...cart, version: 1 } })
            await note('/tokens', { headers, json: { name: 'UPPER', scopes: ['nothing'] } })
          }
          const headers = bearer(text)
          await note('/services', { headers: { ...headers, 'x-coordinator-lineage': 'other' } })
          await note('/services?nope=1', { headers })
          await note('/services', { headers: { ...headers, 'if-match': '"x"', 'x-request-id': 'r' } })
          seen.push(
            await raw(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${text}\r\nBroken\r\n\r\n`, 50),
          )
          seen.push(
            await raw(
              `POST /register HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nAuthorization: ${text}\r\n\r\n`,
              50,
            ),
          )
        }
        // Faults of the store, of a handler, and of the check itself.
        scope.store.outage()
        await note('/register', { headers: bearer(adminToken), json: cart })
        await note('/tokens', { headers: bearer(good.token), json: { name: 'x', scopes: ['read'] } })
        scope.store.heal()
        const realText = metrics.text
        Object.assign(metrics, { text: () => Promise.reject(new TypeError('broken')) })
        await note('/metrics', { headers: bearer(metricsToken) })
        Object.assign(metrics, { text: realText })
        const realCheck = access.identify.bind(access)
        Object.assign(access, {
          identify: () => {
            throw new TypeError('broken')
          },
        })
        await note('/services', { headers: bearer(good.token) })
        Object.assign(access, {
          identify: () => Promise.reject(new CoordinatorError('COORD_AUTH_UNAVAILABLE')),
        })
        await note('/services', { headers: bearer(good.token) })
        Object.assign(access, { identify: realCheck })
        await note('/tokens', { headers: bearer(adminToken) })
        await note('/metrics', { headers: bearer(metricsToken) })

        const shown = [...seen, ...log].join('\n')
        expect(log.length).toBeGreaterThan(5)
        for (const text of [...credentials, 'canary-of-the-claims'])
          for (const piece of piecesOf(text))
            expect({ piece, shown: shown.includes(piece) }).toEqual({ piece, shown: false })
      },
      { logRequests: true, logLevel: 'trace', options: { commitTimeoutMs: 100 } },
    ))
})
