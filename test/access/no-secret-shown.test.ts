import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { EnvironmentTokens } from '../../src/access/environment-tokens.ts'
import { KnownToken } from '../../src/access/known-token.ts'
import type { Principal } from '../../src/access/principal.ts'
import { TokenBook } from '../../src/access/token-book.ts'
import { createTokenText, hashSecret, parseToken } from '../../src/access/token-format.ts'
import { here, identify, startAccess } from './with-access.ts'

/** Everything that could be printed, logged or sent of a value. */
function shown(value: unknown): string {
  const parts = [
    inspect(value, { depth: 20, showHidden: true, getters: true }),
    String(value),
    JSON.stringify(value) ?? '',
  ]
  if (value instanceof Error)
    parts.push(value.stack ?? '', JSON.stringify({ ...value }), inspect(value.cause, { depth: 20 }))
  return parts.join('\n')
}

/** Each run of 8 characters of a secret. */
function piecesOf(secret: string): string[] {
  return Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8))
}

function expectNone(value: unknown, secrets: readonly string[]): void {
  const text = shown(value)
  for (const secret of secrets)
    for (const piece of piecesOf(secret)) expect(text.includes(piece), `${piece} in ${text}`).toBe(false)
}

describe('what is printed of access', () => {
  it('holds no part of a secret and no hash: not the whole, the tokens, the principals, or what is in between', async () => {
    const [adminToken, metricsToken] = [randomUUID(), randomUUID()]
    const { store, access } = await startAccess({ adminToken, metricsToken })
    const { token, info } = await access.createToken(
      { name: 'ci', scopes: ['read'], expiresAt: null },
      'admin',
    )
    const principal = identify(access, token)
    const secrets = [token.slice(17), adminToken, hashSecret(token.slice(17, 60)), hashSecret(adminToken)]
    const [stored] = await store.dump()
    const known = stored === undefined ? undefined : new KnownToken(stored)
    const book = new TokenBook()
    if (stored !== undefined) book.put(stored)
    const environment = new EnvironmentTokens({ admin: adminToken, metrics: metricsToken })
    const admin = identify(access, adminToken)
    for (const value of [
      access,
      access.listTokens(),
      info,
      principal,
      principal.grants,
      admin,
      book,
      environment,
    ])
      expectNone(value, secrets)
    // The bytes of its hash are no secret, but nobody needs them either.
    expectNone(known?.infoAt(Date.now(), 0), secrets)
    await access.revokeToken(info.id, 'admin')
    expectNone(principal.ended?.reason, secrets)
  })

  it('of errors holds no part of the credential that was refused', async () => {
    const jwt = {
      verify: (): Principal => {
        throw new Error('broken')
      },
      start: () => undefined,
      stop: () => undefined,
    }
    const { access } = await startAccess({ jwt, badCredentials: { burst: 8, perSecond: 0.001 } })
    const { token } = createTokenText()
    const revoked = await access.createToken({ name: 'ci', scopes: ['read'], expiresAt: null }, 'admin')
    await access.revokeToken(revoked.info.id, 'admin')
    const credentials = [
      token,
      `${token.slice(0, -1)}_`,
      revoked.token,
      'swordfish-swordfish-swordfish',
      'eyJhbGciOiJub25lIn0.eyJzdWIiOiJzd29yZGZpc2gifQ.c3dvcmRmaXNo',
    ]
    for (const credential of [...credentials, ...credentials])
      for (const header of [`Bearer ${credential}`, `Basic ${credential}`, credential]) {
        const error = await Promise.resolve()
          .then(() => access.identify(header, here))
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
        expect(error).toBeInstanceOf(Error)
        expectNone(error, [parseToken(credential)?.secret ?? credential])
      }
  })
})
