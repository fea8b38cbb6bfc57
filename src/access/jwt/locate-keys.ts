import { isLoopback } from '../../config/loopback.ts'
import { FetchFault, type FetchJsonOptions, fetchJson } from './fetch-json.ts'

/**
 * Finds the key set of an issuer by OpenID Connect Discovery 1.0: `jwks_uri` of `<issuer>/.well-known/openid-configuration`. An issuer
 * without this document is expected to have its keys in `<issuer>/.well-known/jwks.json`.
 *
 * @throws FetchFault
 */
export async function locateKeys(issuer: string, options: FetchJsonOptions): Promise<URL> {
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
  const configuration = secureUrl(`${base}/.well-known/openid-configuration`, 'The issuer')
  let document: unknown
  try {
    document = await fetchJson(configuration, options)
  } catch (thrown) {
    if (thrown instanceof FetchFault && thrown.status === 404) return new URL(`${base}/.well-known/jwks.json`)
    throw thrown
  }
  const { issuer: named, jwks_uri: keys } = (document ?? {}) as Record<string, unknown>
  const shown = configuration.origin + configuration.pathname
  // Discovery 1.0, 4.3: otherwise one issuer could speak for another.
  if (named !== issuer) throw new FetchFault(`${shown} names another issuer than AUTH_JWT_ISSUER`)
  if (typeof keys !== 'string') throw new FetchFault(`${shown} names no jwks_uri`)
  return secureUrl(keys, `The jwks_uri of ${shown}`)
}

/** Whoever can change an answer on its way chooses the keys. */
function secureUrl(text: string, what: string): URL {
  const url = URL.parse(text)
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(bareHost(url)))
  if (url === null || !secure || url.username !== '' || url.password !== '')
    throw new FetchFault(`${what} is neither an https: URL nor on this machine`)
  return url
}

function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}
