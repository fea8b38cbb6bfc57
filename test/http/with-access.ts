import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { Access, type AccessOptions } from '../../src/access/access.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { type ServerScope, type ServerSetup, withServer } from './with-server.ts'

export const adminToken = 'admin-secret-of-the-test-which-is-long-enough'
export const metricsToken = 'metrics-secret-of-the-test-which-is-long-enough'

/** A server that demands credentials. */
export interface AccessScope extends ServerScope {
  readonly access: Access
  /** Creates a token, and gives back its text. */
  tokenWith(scopes: readonly string[], expiresAt?: number | null): Promise<{ token: string; id: string }>
  /** Moves the clock by which tokens expire. */
  later(ms: number): void
}

/** Runs a test with a server that demands credentials. */
export function withAccess(
  body: (scope: AccessScope) => Promise<void>,
  {
    access: options,
    ...setup
  }: Omit<ServerSetup, 'access'> & { readonly access?: Partial<AccessOptions> } = {},
): Promise<void> {
  const { inner = new MemoryStore() } = setup as ServerSetup
  let shiftMs = 0
  const access = new Access({
    mode: 'required',
    adminToken,
    metricsToken,
    store: inner.access,
    badCredentials: { burst: 1_000_000, perSecond: 1_000_000 },
    now: () => Date.now() + shiftMs,
    ...options,
  })
  let made = 0
  return withServer(
    async (scope) => {
      await access.start()
      try {
        await body({
          ...scope,
          access,
          async tokenWith(scopes, expiresAt = null) {
            made += 1
            const name = `test-${made}`
            const { token, info } = await access.createToken({ name, scopes, expiresAt }, 'test')
            return { token, id: info.id }
          },
          later(ms) {
            shiftMs += ms
          },
        })
      } finally {
        access.stop()
      }
    },
    { ...setup, inner, access },
  )
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

export interface PlainAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface PlainRequest {
  readonly method: string
  /** Sent as it is. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 })

/** Sends a request whose path no URL parser has tidied up. It reads no more of a stream than its beginning. */
export function plainly(port: number, { method, path, headers, body }: PlainRequest): Promise<PlainAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PlainAnswer>()
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
    const { statusCode: status = 0, headers: answered } = response
    let text = ''
    response.on('data', (chunk: Buffer) => {
      text += chunk
    })
    response.on('end', () => resolve({ status, headers: answered, text }))
    response.on('error', reject)
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}
