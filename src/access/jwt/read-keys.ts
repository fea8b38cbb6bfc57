import type { CryptoKey } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { importJWK } from 'jose/key/import'
import { FetchFault } from './fetch-json.ts'
import type { JwtAlgorithm } from './read-token.ts'

/** A public key that signs tokens. */
export interface VerificationKey {
  /** SHA-256 of the key itself (RFC 7638): the same for the same key, whatever its id is. */
  readonly thumbprint: string
  readonly keyId: string | undefined
  readonly algorithm: JwtAlgorithm
  readonly key: CryptoKey
}

type Jwk = Readonly<Record<string, unknown>>

const keysMax = 100
/** RFC 7518, 3.3. */
const rsaMinBits = 2_048

/**
 * Reads a key set (RFC 7517). Keys for other purposes, and keys that cannot be read, are left out. A secret key is never taken.
 *
 * @throws FetchFault if it is not a key set, or has more than 100 keys
 */
export async function readKeys(document: unknown): Promise<VerificationKey[]> {
  const keys =
    typeof document === 'object' && document !== null && 'keys' in document ? document.keys : undefined
  if (!Array.isArray(keys)) throw new FetchFault('The answer is not a key set: it has no list of keys')
  if (keys.length > keysMax) throw new FetchFault(`The key set has more than ${keysMax} keys`)
  const read = await Promise.all(keys.map(readKey))
  return read.filter((key) => key !== undefined)
}

async function readKey(value: unknown): Promise<VerificationKey | undefined> {
  if (typeof value !== 'object' || value === null) return undefined
  const jwk = value as Jwk
  const picked = pickPublic(jwk)
  if (picked === undefined || !mayVerify(jwk, picked.algorithm)) return undefined
  const { algorithm, members } = picked
  try {
    const [key, thumbprint] = await Promise.all([
      importJWK(members, algorithm),
      calculateJwkThumbprint(members),
    ])
    if (key instanceof Uint8Array || key.type !== 'public' || isWeak(key)) return undefined
    const { kid } = jwk
    return { thumbprint, keyId: typeof kid === 'string' ? kid : undefined, algorithm, key }
  } catch {
    return undefined
  }
}

/** Only the members of a public key: a key set that was published with its private keys still gives public ones. */
function pickPublic({ kty, crv, x, y, n, e }: Jwk) {
  if (kty === 'EC' && crv === 'P-256')
    return { algorithm: 'ES256', members: { kty, crv, x, y } as Texts } as const
  if (kty === 'RSA') return { algorithm: 'RS256', members: { kty, n, e } as Texts } as const
  if (kty === 'OKP' && crv === 'Ed25519')
    return { algorithm: 'EdDSA', members: { kty, crv, x } as Texts } as const
  return undefined
}

type Texts = Record<string, string>

function mayVerify({ use, key_ops: operations, alg }: Jwk, algorithm: JwtAlgorithm): boolean {
  if (use !== undefined && use !== 'sig') return false
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return false
  // RFC 9864 calls EdDSA with this curve `Ed25519`.
  return alg === undefined || alg === algorithm || (alg === 'Ed25519' && algorithm === 'EdDSA')
}

function isWeak({ algorithm }: CryptoKey): boolean {
  return 'modulusLength' in algorithm && (algorithm.modulusLength as number) < rsaMinBits
}
