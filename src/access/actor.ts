import { hash } from 'node:crypto'
import type { Principal } from './principal.ts'

/** The longest actor that the journal takes, in UTF-16 code units. */
const actorMaxLength = 256
const hashLength = 16
const isAddress = /^[\w.:%-]{1,64}$/

export interface ActorFacts {
  /** The address of the client. */
  readonly address: string
  /** Whom the client says it acts for. Nobody checks that. */
  readonly claim?: string | undefined
}

/**
 * The author of a change, as the journal keeps it: `token:ci`, `admin`, or `http:<address>` where callers prove nothing. A claim follows,
 * such as `token:ci as deploy%20job`. It is percent-encoded, so that no claim looks like something that was proved, and cut where the text
 * would exceed 256 characters.
 */
export function actorOf({ actor }: Principal, { address, claim }: ActorFacts): string {
  const proved = actor === undefined ? `http:${plainAddress(address)}` : fitted(actor)
  if (claim === undefined || claim === '') return proved
  const claimed = encodedWithin(claim, actorMaxLength - proved.length - ' as '.length)
  return claimed === '' ? proved : `${proved} as ${claimed}`
}

/** An actor that is too long ends in its hash, after `#`, which no shorter one has: different callers stay different. */
function fitted(actor: string): string {
  if (actor.length <= actorMaxLength) return actor
  const kept = actor.slice(0, actorMaxLength - hashLength - 1)
  return `${kept}#${hash('sha256', actor).slice(0, hashLength)}`
}

/** Percent-encodes a text, and leaves out the characters at its end for which there is no room. */
function encodedWithin(text: string, maxLength: number): string {
  // Each character of the text has at least one character afterwards.
  const encoded = encodeURIComponent(text.slice(0, Math.max(0, maxLength)).toWellFormed())
  if (encoded.length <= maxLength) return encoded
  let end = Math.max(0, maxLength)
  while (!isBoundary(encoded, end)) end -= 1
  return encoded.slice(0, end)
}

/** Whether a character of the original text ends here. */
function isBoundary(encoded: string, at: number): boolean {
  const isInsideByte = encoded[at - 1] === '%' || encoded[at - 2] === '%'
  // In UTF-8, these bytes continue a character.
  return !isInsideByte && !/^%[89AB]/.test(encoded.slice(at, at + 2))
}

/** An IPv4 address on an IPv6 socket is shown as an IPv4 address. An address has no character that could pretend a claim. */
function plainAddress(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  if (isAddress.test(plain)) return plain
  return plain.replaceAll(/[^\w.:%-]/g, '_').slice(0, 64) || 'unknown'
}
