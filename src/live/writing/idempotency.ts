import { hash } from 'node:crypto'
import { CoordinatorError } from '../../errors.ts'
import { canonicalJson } from '../../records/canonical-json.ts'
import { nameUuid } from '../../records/name-uuid.ts'
import { newCommitId } from './new-commit-id.ts'
import type { WriteContext } from './write-context.ts'

/** The namespace for commit ids that are made from an `Idempotency-Key`. */
const KEY_NAMESPACE = 'cbfe8a73-1b43-4c95-8657-cd4916334e5e'

/** Visible ASCII, which every client and proxy passes on unchanged. */
const keyForm = /^[\x20-\x7e]{1,255}$/

/** The content of a request. It shows whether the same key came with another request. */
export interface Wish {
  /** Method and path without query, such as `POST /register`. */
  readonly route: string
  readonly body?: unknown
  /**
   * The index in a batch: each registration of a batch is its own commit. The first one has the same id as a single registration. A key
   * that was used for a batch is therefore recognized when it comes with another request, and the other way round.
   */
  readonly index?: number
}

export interface CommitIdentity {
  readonly commitId: string
  readonly fingerprint?: string
}

/**
 * Makes the id of a commit. With an `Idempotency-Key` the id is made from the key and its owner. If the request comes again, on any
 * coordinator, the store then answers with the first result. The same key of somebody else is another commit, so that nobody gets the
 * result of others, or can use up their keys. Without a key the id is new. New ids sort after earlier ones, which keeps the indexes of the
 * stores compact.
 *
 * @throws COORD_HEADER_INVALID
 */
export function identifyCommit(
  { idempotencyKey: key, principal }: Pick<WriteContext, 'idempotencyKey' | 'principal'>,
  wish: Wish,
): CommitIdentity {
  if (key === undefined) return { commitId: newCommitId() }
  checkKey(key)
  const { route, body, index = 0 } = wish
  return {
    commitId: nameUuid(keyName(principal.id, key, index), KEY_NAMESPACE),
    fingerprint: hash('sha256', `${route}\n${body === undefined ? '' : canonicalJson(body)}`, 'hex'),
  }
}

/** A text that no other key, owner or index has. Where nobody proves who they are, keys have no owner. */
function keyName(owner: string, key: string, index: number): string {
  const name = index === 0 ? [key] : [key, index]
  return JSON.stringify(owner === '' ? name : [{ owner }, ...name])
}

/** @throws COORD_HEADER_INVALID */
export function checkKey(key: string): void {
  if (keyForm.test(key)) return
  const message = 'must have 1 to 255 visible ASCII characters'
  throw new CoordinatorError('COORD_HEADER_INVALID', {
    detail: `Idempotency-Key ${message}.`,
    errors: [{ path: 'idempotencyKey', message, code: 'COORD_HEADER_INVALID' }],
    outcome: 'not_written',
  })
}
