import { createHmac } from 'node:crypto'
import { exportSPKI, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { createKey, type Issuer, refusalOf, type SigningKey, withIssuer } from './with-issuer.ts'

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const secret = 'a secret that is long enough for HS256'

interface Scene {
  readonly issuer: Issuer
  /** The key that the issuer published. */
  readonly key: SigningKey
}

/** A token of the scene, and what its refusal must say. */
type Case = readonly [title: string, token: (scene: Scene) => string | Promise<string>, detail: RegExp]

const claimsOf = (changed: (issuer: Issuer) => object) => (scene: Scene) =>
  scene.key.sign(scene.issuer.claims(changed(scene.issuer)))
const secondsOf = ({ now }: Issuer) => now / 1000

const refused: readonly Case[] = [
  // Claims
  ['without iss', claimsOf(() => ({ iss: undefined })), /no claim iss/],
  ['without aud', claimsOf(() => ({ aud: undefined })), /no claim aud/],
  ['without exp', claimsOf(() => ({ exp: undefined })), /no claim exp/],
  ['without sub', claimsOf(() => ({ sub: undefined })), /no claim sub/],
  ['with an empty sub', claimsOf(() => ({ sub: '' })), /subject \(sub\)/],
  ['with a sub that is a number', claimsOf(() => ({ sub: 7 })), /subject \(sub\)/],
  ['with a sub of 256 characters', claimsOf(() => ({ sub: 'a'.repeat(256) })), /subject \(sub\)/],
  ['with half of a surrogate pair in sub', claimsOf(() => ({ sub: '\ud800' })), /subject \(sub\)/],
  ['of another issuer', claimsOf(() => ({ iss: 'https://evil.example' })), /another issuer/],
  ['with a slash after the issuer', claimsOf(({ url }) => ({ iss: `${url}/` })), /a slash at the end/],
  ['with a list of issuers', claimsOf(({ url }) => ({ iss: [url] })), /another issuer/],
  ['for another audience', claimsOf(() => ({ aud: 'other' })), /another audience/],
  ['for several other audiences', claimsOf(() => ({ aud: ['a', 'b'] })), /another audience/],
  [
    'for an audience that only begins like ours',
    claimsOf(() => ({ aud: 'coordinator2' })),
    /another audience/,
  ],
  ['with exp as a text', claimsOf(() => ({ exp: '9999999999' })), /exp .*not a number/],
  ['with an exp that is no time', claimsOf(() => ({ exp: 9e12 })), /exp .*no time/],
  ['with an exp beyond all times', claimsOf(() => ({ exp: 1e305 })), /exp .*no time/],
  ['with an iat that is no time', claimsOf(() => ({ iat: -9e12 })), /iat .*no time/],
  ['with nbf as a text', claimsOf(() => ({ nbf: 'now' })), /nbf .*not a number/],
  ['with iat as a text', claimsOf(() => ({ iat: 'now' })), /iat .*not a number/],
  ['that is valid in 31 seconds', claimsOf((issuer) => ({ nbf: secondsOf(issuer) + 31 })), /not valid yet/],
  ['that is bound to a key of its holder', claimsOf(() => ({ cnf: { jkt: 'x' } })), /bound to a key/],

  // Form
  ['that is no JWT', () => 'something', /three parts/],
  ['that is empty', () => '', /three parts/],
  ['that is encrypted', () => 'a.b.c.d.e', /encrypted/],
  [
    'whose header is no JSON',
    () => `${Buffer.from('{').toString('base64url')}.e30.c2ln`,
    /header .*cannot be read/,
  ],
  ['whose header is a list', () => `${encoded([])}.e30.c2ln`, /header .*cannot be read/],
  [
    'whose claims are a text',
    () => `${encoded({ alg: 'ES256' })}.${encoded('x')}.c2ln`,
    /claims .*cannot be read/,
  ],
  [
    'of 8 KiB and one character',
    ({ key, issuer }) => key.sign(issuer.claims()).then((token) => token.padEnd(8_193, 'A')),
    /8192 characters/,
  ],

  // Header
  [
    'whose alg is none',
    ({ issuer }) => `${encoded({ alg: 'none' })}.${encoded(issuer.claims())}.`,
    /alg is none/,
  ],
  [
    'whose alg is NonE',
    ({ issuer }) => `${encoded({ alg: 'NonE' })}.${encoded(issuer.claims())}.`,
    /alg is none/,
  ],
  [
    'whose alg is none, with a signature',
    ({ issuer }) => `${encoded({ alg: 'none' })}.${encoded(issuer.claims())}.c2ln`,
    /alg is none/,
  ],
  [
    'without alg',
    ({ issuer }) => `${encoded({})}.${encoded(issuer.claims())}.c2ln`,
    /algorithm that is not accepted/,
  ],
  [
    'whose alg is a list',
    ({ issuer }) => `${encoded({ alg: ['ES256'] })}.${encoded(issuer.claims())}.c2ln`,
    /algorithm that is not accepted/,
  ],
  [
    'signed with HS512',
    ({ issuer }) => hmacToken(issuer, { alg: 'HS512' }, secret),
    /algorithm that is not accepted/,
  ],
  [
    'without a signature',
    async ({ key, issuer }) => (await key.sign(issuer.claims())).replace(/[^.]+$/, ''),
    /no signature/,
  ],
  [
    'with a demand that nobody knows',
    ({ key, issuer }) =>
      withHeader(key, issuer, { crit: ['https://example.org/x'], 'https://example.org/x': 1 }),
    /demands extensions/,
  ],
  [
    'with an empty list of demands',
    ({ issuer }) => `${encoded({ alg: 'ES256', crit: [] })}.${encoded(issuer.claims())}.c2ln`,
    /demands extensions/,
  ],
  [
    'whose claims are not encoded',
    ({ issuer }) => `${encoded({ alg: 'ES256', b64: false })}.${encoded(issuer.claims())}.c2ln`,
    /demands extensions/,
  ],
  [
    'that ends a session',
    ({ key, issuer }) => key.sign(issuer.claims(), { typ: 'logout+jwt' }),
    /not an access token/,
  ],
  [
    'whose kid is a number',
    ({ issuer }) => `${encoded({ alg: 'ES256', kid: 7 })}.${encoded(issuer.claims())}.c2ln`,
    /kid/,
  ],

  // Signature
  [
    'whose claims were changed',
    async ({ key, issuer }) => withClaims(await key.sign(issuer.claims()), issuer.claims({ scope: 'admin' })),
    /signature .*wrong/,
  ],
  [
    'with a signature of another token',
    async ({ key, issuer }) => {
      const [first, second] = [await key.sign(issuer.claims()), await key.sign(issuer.claims({ sub: 'eve' }))]
      return `${second.split('.').slice(0, 2).join('.')}.${first.split('.')[2]}`
    },
    /signature .*wrong/,
  ],
  [
    'with a short signature',
    async ({ key, issuer }) => (await key.sign(issuer.claims())).slice(0, -10),
    /signature .*wrong/,
  ],
  [
    'of a key that was not published, under the id of one that was',
    async ({ issuer, key }) => (await createKey('ES256', key.jwk.kid)).sign(issuer.claims()),
    /signature .*wrong/,
  ],
  [
    'of a key with another id',
    async ({ issuer }) => (await createKey('ES256', 'other')).sign(issuer.claims()),
    /no key for ES256 with the id/,
  ],
  [
    'of a key of another type, under the id of one that was published',
    async ({ issuer, key }) => (await createKey('RS256', key.jwk.kid)).sign(issuer.claims()),
    /no key for RS256 with the id/,
  ],
  [
    'that brings its own key',
    async ({ issuer }) => {
      const own = await createKey('ES256')
      return own.sign(issuer.claims(), {
        kid: 'own',
        jwk: own.jwk,
        jku: 'http://127.0.0.1:1/keys',
        x5c: ['MIIB'],
      })
    },
    /no key for ES256 with the id/,
  ],

  // HS256
  [
    'signed with HS256, without a secret being set',
    ({ issuer }) => hmacToken(issuer, { alg: 'HS256' }, secret),
    /only where AUTH_JWT_SECRET/,
  ],
  [
    'signed with HS256 and the public key as secret',
    async ({ issuer, key }) => hmacToken(issuer, { alg: 'HS256', kid: key.jwk.kid }, await pem(key)),
    /only where AUTH_JWT_SECRET/,
  ],
]

function hmacToken(issuer: Issuer, header: object, key: string): string {
  const text = `${encoded(header)}.${encoded(issuer.claims())}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

async function pem(key: SigningKey): Promise<string> {
  return exportSPKI((await importJWK(key.jwk, key.algorithm)) as CryptoKey)
}

/** A rightly signed token, whatever its header demands. */
async function withHeader(key: SigningKey, issuer: Issuer, header: Record<string, unknown>): Promise<string> {
  const demanded = Object.fromEntries(
    Object.keys(header)
      .filter((name) => name !== 'crit')
      .map((name) => [name, true]),
  )
  return key.sign(issuer.claims(), header, { crit: demanded })
}

function withClaims(token: string, claims: object): string {
  const [header, , signature] = token.split('.')
  return `${header}.${encoded(claims)}.${signature}`
}

describe('JWTs that are refused', () => {
  it.each(refused)('a token %s is not valid', (_title, tokenOf, detail) =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const token = await tokenOf({ issuer, key })
      const verifier = issuer.verifier()
      const refusal = await refusalOf(verifier.verify(token))
      expect(refusal.code).toBe('COORD_CREDENTIAL_INVALID')
      expect(refusal.detail).toMatch(detail)
      for (const part of token.split('.')) if (part.length > 8) expect(refusal.detail).not.toContain(part)
      expect(verifier.figures.remembered).toBe(0)
    }),
  )

  it('a token has expired at the second that its exp names', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims({ exp: secondsOf(issuer) + 60 }))
      issuer.now += 59_999
      await verifier.verify(token)
      issuer.now += 1
      expect(await refusalOf(verifier.verify(token))).toMatchObject({ code: 'COORD_CREDENTIAL_EXPIRED' })
      expect(verifier.figures.remembered).toBe(0)
    }))

  it('a token that is valid in 30 seconds counts now, because clocks differ', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const token = await key.sign(issuer.claims({ nbf: secondsOf(issuer) + 30 }))
      expect((await issuer.verifier().verify(token)).actor).toBe('jwt:ada')
    }))

  it('AUTH_NOT_BEFORE refuses tokens that were issued earlier, and those that do not say when', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier({ notBefore: issuer.now })
      const earlier = await key.sign(issuer.claims({ iat: secondsOf(issuer) - 1 }))
      const silent = await key.sign(issuer.claims({ iat: undefined }))
      expect((await refusalOf(verifier.verify(earlier))).detail).toMatch(/issued before AUTH_NOT_BEFORE/)
      expect((await refusalOf(verifier.verify(silent))).detail).toMatch(/does not say when it was issued/)
      await verifier.verify(await key.sign(issuer.claims()))
    }))

  it('with a secret and no URL of keys, only HS256 is accepted', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier({ secret, jwksUrl: undefined })
      await verifier.verify(hmacToken(issuer, { alg: 'HS256' }, secret))
      const refusal = await refusalOf(verifier.verify(await key.sign(issuer.claims())))
      expect(refusal.detail).toMatch(/only HS256 is accepted/)
      expect(issuer.requests).toEqual([])
    }))

  it('HS256 with another secret, or with a public key, is refused where a secret is set', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier({ secret })
      for (const wrong of ['another secret that is as long as that', await pem(key), JSON.stringify(key.jwk)])
        expect((await refusalOf(verifier.verify(hmacToken(issuer, { alg: 'HS256' }, wrong)))).detail).toMatch(
          /signature/,
        )
    }))

  it('a token that was refused costs no question to the issuer, unless its claims are right', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('ES256', 'one')
      const verifier = issuer.verifier()
      await refusalOf(verifier.verify(await key.sign(issuer.claims({ iss: 'https://evil.example' }))))
      await refusalOf(verifier.verify(await key.sign(issuer.claims({ exp: 1 }))))
      expect(issuer.requests).toEqual([])
    }))

  it('a token with a lone byte changed anywhere is refused', () =>
    withIssuer(async (issuer) => {
      const key = await createKey('EdDSA', 'one')
      issuer.keys = [key.jwk]
      const verifier = issuer.verifier()
      const token = await key.sign(issuer.claims())
      // The last character of a part may hold bits that no byte uses.
      const lasts = new Set([...token.matchAll(/.(?=\.|$)/g)].map((match) => match.index))
      for (let at = 0; at < token.length; at += 1) {
        if (lasts.has(at)) continue
        const other = token[at] === 'A' ? 'B' : 'A'
        const { code } = await refusalOf(verifier.verify(token.slice(0, at) + other + token.slice(at + 1)))
        expect(code).toMatch(/^COORD_CREDENTIAL_(INVALID|EXPIRED)$/)
      }
    }))
})

describe('settings of JWTs', () => {
  it.each([
    [{ issuer: '' }, /AUTH_JWT_ISSUER is empty/],
    [{ audience: undefined }, /AUTH_JWT_AUDIENCE is not/],
    [{ secret: 'short' }, /AUTH_JWT_SECRET has fewer than 32 bytes/],
    [{ jwksUrl: 'ftp://example.org/' }, /AUTH_JWKS_URL/],
    [{ jwksUrl: 'https://user:hidden@example.org/' }, /AUTH_JWKS_URL/],
    [{ jwksUrl: undefined, issuer: 'accounts.example.org' }, /AUTH_JWT_ISSUER/],
  ])('%o cannot be used', (options, detail) =>
    withIssuer(async (issuer) => {
      const refusal = await refusalOf((async () => issuer.verifier(options))())
      expect(refusal.code).toBe('COORD_CONFIG_INVALID')
      expect(refusal.detail).toMatch(detail)
      expect(refusal.detail).not.toContain('hidden')
    }),
  )
})
