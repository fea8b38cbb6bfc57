import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** The digits of base 62, in the order of their values. */
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const prefix = 'cdt_'
const idLength = 12
/** 62^43 is more than 2^256, so that 43 random digits hold 256 random bits. */
const secretLength = 43
/** 62^6 is more than 2^32. */
const checksumLength = 6
const secretStart = prefix.length + idLength + 1
const checksumStart = secretStart + secretLength
const tokenLength = checksumStart + checksumLength

const onlyDigits = /^[0-9A-Za-z]+$/

/** The parts of a token that count. */
export interface TokenParts {
  readonly id: string
  readonly secret: string
}

export interface CreatedToken {
  /** The whole text: `cdt_<id>_<secret><checksum>`, 66 characters. It is shown once. */
  readonly token: string
  readonly id: string
  /** See `hashSecret`. */
  readonly secretHash: string
}

/** Creates a token with a random id, and a secret of 256 random bits. */
export function createTokenText(): CreatedToken {
  const id = randomDigits(idLength)
  const secret = randomDigits(secretLength)
  return { token: writeToken({ id, secret }), id, secretHash: hashSecret(secret) }
}

/** The text of a token. Scanners for leaked secrets recognize it by its prefix and its checksum. */
export function writeToken({ id, secret }: TokenParts): string {
  const text = `${prefix}${id}_${secret}`
  return text + checksumOf(text)
}

/** Whether a text claims to be a token of a coordinator. */
export function looksLikeToken(text: string): boolean {
  return text.startsWith(prefix)
}

/**
 * Reads the text of a token. Its characters are not checked, because that takes a fifth of the time of a request with a known token, and a
 * text with others is the token of nobody: see `isCreatable`.
 *
 * @returns `undefined` if its length or its checksum is wrong: no coordinator has created it
 */
export function parseToken(text: string): TokenParts | undefined {
  if (text.length !== tokenLength || !text.startsWith(prefix) || text[secretStart - 1] !== '_')
    return undefined
  // The digits are compared one by one, because this is half as long as writing the expected checksum.
  let checksum = crc32(text.slice(0, checksumStart))
  for (let at = tokenLength - 1; at >= checksumStart; at -= 1) {
    if (text.charCodeAt(at) !== digits.charCodeAt(checksum % 62)) return undefined
    checksum = Math.floor(checksum / 62)
  }
  return { id: text.slice(prefix.length, secretStart - 1), secret: text.slice(secretStart, checksumStart) }
}

/** Whether all characters are digits of base 62. Otherwise no coordinator has created the token. */
export function isCreatable({ id, secret }: TokenParts): boolean {
  return onlyDigits.test(id) && onlyDigits.test(secret)
}

/** SHA-256 of the secret of a token, in 64 hexadecimal digits. A secret of 256 random bits needs no slow hash. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret)
}

function checksumOf(text: string): string {
  let rest = crc32(text)
  let written = ''
  for (let at = 0; at < checksumLength; at += 1) {
    written = digits[rest % 62] + written
    rest = Math.floor(rest / 62)
  }
  return written
}

/** `randomInt` has no bias, unlike the remainder of a random byte. */
function randomDigits(length: number): string {
  return Array.from({ length }, () => digits[randomInt(digits.length)]).join('')
}
