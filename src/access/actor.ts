import { hash } from 'node:crypto'
import { MAX_ACTOR_LENGTH } from '../database/check-commit.ts'
import { plainAddress } from '../text/client-of.ts'
import type { Principal } from './principal.ts'

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
  const proved = actor === undefined ? `http:${safeAddress(address)}` : fitted(actor)
  if (claim === undefined || claim === '') return proved
  const claimed = encodedWithin(claim, MAX_ACTOR_LENGTH - proved.length - ' as '.length)
  return claimed === '' ? proved : `${proved} as ${claimed}`
}

/** An actor that is too long ends in its hash, after `#`, which no shorter one has: different callers stay different. */
function fitted(actor: string): string {
  if (actor.length <= MAX_ACTOR_LENGTH) return actor
  const kept = actor.slice(0, MAX_ACTOR_LENGTH - hashLength - 1)
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

/** An address without any character that could pretend a claim. */
function safeAddress(address: string): string {
  const plain = plainAddress(address)
  if (isAddress.test(plain)) return plain
  return plain.replaceAll(/[^\w.:%-]/g, '_').slice(0, 64) || 'unknown'
}
