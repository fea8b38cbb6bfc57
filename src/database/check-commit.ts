import { CoordinatorError } from '../errors.ts'
import { type Commit, MAX_REVISION, type Write } from '../records/record.ts'

/** The longest `kind`, in UTF-16 code units. */
export const MAX_KIND_LENGTH = 64
/** The longest record id, in UTF-16 code units. Four times as many bytes still fit into a row of a PostgreSQL index. */
export const MAX_ID_LENGTH = 512
/** The longest `actor`, in UTF-16 code units. */
export const MAX_ACTOR_LENGTH = 256

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * The reason why no backend can store a commit, if there is one. Every store calls this first, so that all backends refuse the same commits
 * for the same reasons.
 */
export function refusalOf(commit: Commit): CoordinatorError | undefined {
  const reason = faultOf(commit)
  return reason === undefined
    ? undefined
    : new CoordinatorError('COORD_COMMIT_REFUSED', { detail: reason, outcome: 'not_written' })
}

function faultOf(commit: Commit): string | undefined {
  if (!uuid.test(commit.commitId)) return 'The commit id is not a UUID in lower case.'
  if (!isText(commit.actor, MAX_ACTOR_LENGTH))
    return `The actor is not a text of 1 to ${MAX_ACTOR_LENGTH} characters.`
  if (commit.fingerprint !== undefined && !isText(commit.fingerprint, MAX_ACTOR_LENGTH))
    return `The fingerprint is not a text of 1 to ${MAX_ACTOR_LENGTH} characters.`
  if (commit.writes.length === 0) return 'The commit has no writes.'
  return writesFault(commit.writes)
}

function writesFault(writes: readonly Write[]): string | undefined {
  const [only] = writes
  if (only !== undefined && writes.length === 1) return writeFault(only)
  const seen = new Set<string>()
  for (const write of writes) {
    const reason = writeFault(write)
    if (reason !== undefined) return reason
    const key = `${write.kind}\0${write.id}`
    if (seen.has(key)) return `The commit writes ${write.kind} ${JSON.stringify(write.id)} twice.`
    seen.add(key)
  }
  return undefined
}

/** The reason why no backend can store a write, if there is one. */
export function writeFault(write: Write): string | undefined {
  if (!isText(write.kind, MAX_KIND_LENGTH))
    return `A kind is not a text of 1 to ${MAX_KIND_LENGTH} characters.`
  if (!isText(write.id, MAX_ID_LENGTH))
    return `A record id is not a text of 1 to ${MAX_ID_LENGTH} characters.`
  if (
    write.expect !== undefined &&
    !(Number.isInteger(write.expect) && write.expect >= 0 && write.expect <= MAX_REVISION)
  )
    return 'An expected revision is not a whole number from 0 on.'
  // JSON writes NUL and lone surrogates as escapes; PostgreSQL refuses both inside jsonb.
  if (write.op === 'put' && (!write.data.startsWith('{') || holdsUnstorableEscape(write.data)))
    return 'The data is not a JSON object, or holds a character that no database stores.'
  return undefined
}

/** Whether every backend can store a text, and it has 1 to `maxLength` UTF-16 code units. */
export function isText(text: string, maxLength: number): boolean {
  return text.length > 0 && text.length <= maxLength && text.isWellFormed() && !text.includes('\0')
}

/** Canonical JSON escapes NUL as `\u0000`; an even number of backslashes before it means a literal backslash. */
function holdsUnstorableEscape(json: string): boolean {
  if (!json.isWellFormed()) return true
  for (let at = json.indexOf('\\u0000'); at !== -1; at = json.indexOf('\\u0000', at + 1)) {
    let backslashes = 1
    while (json[at - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 1) return true
  }
  return false
}
