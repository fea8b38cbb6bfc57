import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT, type SignOptions } from 'jose'
import { type JwtOptions, JwtVerifier } from '../../../src/access/jwt/jwt-verifier.ts'
import type { CoordinatorError } from '../../../src/errors.ts'

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA'

/** A key pair of the issuer. */
export interface SigningKey {
  readonly algorithm: Algorithm
  readonly jwk: JWK
  /** Signs claims, with a header that names this key. */
  sign(claims: object, header?: object, options?: SignOptions): Promise<string>
}

export async function createKey(algorithm: Algorithm, keyId?: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm)
  const kid = keyId === undefined ? {} : { kid: keyId }
  return {
    algorithm,
    jwk: { ...(await exportJWK(publicKey)), ...kid, alg: algorithm, use: 'sig' },
    sign: (claims, header = {}, options = {}) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...kid, ...header })
        .sign(privateKey, options),
  }
}

/** `undefined` takes an option away. */
export type ChangedOptions = { readonly [Name in keyof JwtOptions]?: JwtOptions[Name] | undefined }

/** An issuer of JWTs on this machine, with a clock of its own. */
export interface Issuer {
  /** The claim `iss`, and where discovery begins. */
  readonly url: string
  readonly jwksUrl: string
  /** The published keys. */
  keys: readonly object[]
  /** Answers instead of the key set, for as long as it is set. */
  respond: RequestListener | undefined
  /** The paths of all requests. */
  readonly requests: string[]
  /** Epoch milliseconds: what the verifier takes for now. */
  now: number
  /** What the verifier reported. */
  readonly faults: (CoordinatorError | undefined)[]
  /** Claims that count. */
  claims(changed?: object): Record<string, unknown>
  /** A verifier of its tokens, which ends with the issuer. */
  verifier(options?: ChangedOptions): JwtVerifier
  /** Ends the server: connections are refused from now on. */
  close(): Promise<void>
}

export async function withIssuer(run: (issuer: Issuer) => Promise<void>): Promise<void> {
  const verifiers: JwtVerifier[] = []
  const requests: string[] = []
  const faults: (CoordinatorError | undefined)[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push(request.url ?? '')
    if (issuer.respond !== undefined) return issuer.respond(request, response)
    if (request.url?.split('?')[0] !== '/keys') return void response.writeHead(404).end()
    sendJson(response, { keys: issuer.keys })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((closed) => server.close(closed))
  }
  const issuer: Issuer = {
    url,
    jwksUrl: `${url}/keys`,
    keys: [],
    respond: undefined,
    requests,
    now: Date.UTC(2026, 0, 1),
    faults,
    claims: (changed = {}) => {
      const seconds = Math.floor(issuer.now / 1000)
      return {
        iss: url,
        aud: 'coordinator',
        sub: 'ada',
        iat: seconds,
        exp: seconds + 3_600,
        scope: 'read',
        ...changed,
      }
    },
    verifier: (options = {}) => {
      const verifier = new JwtVerifier({
        ...{
          issuer: url,
          audience: 'coordinator',
          jwksUrl: issuer.jwksUrl,
          scopeClaim: 'scope',
          supabase: false,
        },
        ...{
          now: () => issuer.now,
          onFault: (fault: CoordinatorError | undefined) => void faults.push(fault),
        },
        ...options,
      } as JwtOptions)
      verifiers.push(verifier)
      return verifier
    },
    close,
  }
  try {
    await run(issuer)
  } finally {
    for (const verifier of verifiers) verifier.stop()
    await close()
  }
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** The code and detail of a rejection. */
export async function refusalOf(
  answer: unknown,
): Promise<{ code: string; detail: string; retryAfterSeconds?: number }> {
  try {
    await answer
  } catch (thrown) {
    const { code, detail, retryAfterSeconds } = thrown as CoordinatorError
    return { code, detail, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
  }
  throw new Error('the token was accepted')
}
