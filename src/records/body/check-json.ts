import { CoordinatorError, type ErrorCode, type Problem } from '../../errors.ts'
import type { JsonValue } from '../canonical-json.ts'
import { isExactNumber } from '../exact-number.ts'
import { LIMITS } from '../limits.ts'

/** The error for a text that is not JSON. @param thrown the error of `JSON.parse` */
export function notJson(thrown: unknown): CoordinatorError {
  // The message of a SyntaxError may quote the body, which must not reach a log.
  const at = /position (\d+)/.exec(String(thrown))?.[1]
  return new CoordinatorError('COORD_BODY_NOT_JSON', {
    detail: at === undefined ? 'The body is not JSON.' : `The body is not JSON: see character ${at}.`,
    outcome: 'not_written',
  })
}

/**
 * Refuses a value that is not JSON, or that some database cannot store.
 *
 * @throws COORD_BODY_TOO_DEEP, COORD_TEXT_NUL, COORD_TEXT_SURROGATE, COORD_KEY_FORBIDDEN, COORD_NUMBER_TOO_LARGE, or
 * COORD_BODY_WRONG_TYPE for a value that is not JSON at all, with the paths in `errors`
 */
export function checkJsonValue(
  value: unknown,
  problemsMax: number = LIMITS.problems,
): asserts value is JsonValue {
  const problems = jsonProblems(value, problemsMax)
  if (problems.length > 0) throw invalidBody(problems)
}

/** The error that reports problems of a body: its code is that of the first one. */
export function invalidBody(problems: readonly Problem[]): CoordinatorError {
  const first = problems[0] as Problem
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new CoordinatorError(first.code ?? 'COORD_FIELD_INVALID', {
    detail: `${first.path === '' ? 'The body' : first.path} ${first.message}${more}.`,
    errors: problems,
    outcome: 'not_written',
  })
}

/** A JSON pointer (RFC 6901). A very long pointer is cut, because an answer must not repeat a body. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  let pointer = ''
  for (const part of path) {
    const shown = String(part).slice(0, LIMITS.pathLength)
    pointer += `/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (pointer.length > LIMITS.pathLength) return `${pointer.slice(0, LIMITS.pathLength).toWellFormed()}...`
  }
  return pointer
}

/** The reasons why a value cannot be stored as JSON, with their paths; at most `problemsMax`. */
export function jsonProblems(value: unknown, problemsMax: number = LIMITS.problems): readonly Problem[] {
  if (isClean(value, 1)) return []
  const problems: Problem[] = []
  collect(value, { path: [], max: problemsMax }, problems)
  return problems
}

/** The state of a search for problems. The path is one list, because a body may have 500,000 values. */
interface Place {
  readonly path: PropertyKey[]
  readonly max: number
}

/** Most values have no problem. Finding that out must not cost a path for each of their parts. */
function isClean(value: unknown, level: number): boolean {
  switch (typeof value) {
    case 'string':
      return isStorable(value)
    case 'number':
      return isExactNumber(value)
    case 'boolean':
      return true
    case 'object':
      return value === null || isCleanContainer(value, level)
    default:
      return false
  }
}

function isCleanContainer(value: object, level: number): boolean {
  // This limit also keeps the search from exhausting the stack.
  if (level > LIMITS.depth) return false
  if (Array.isArray(value)) {
    for (const item of value) if (!isClean(item, level + 1)) return false
    return true
  }
  if (!isPlain(value)) return false
  for (const key of Object.keys(value)) {
    if (isForbidden(key) || !isStorable(key)) return false
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined && !isClean(member, level + 1)) return false
  }
  return true
}

function collect(value: unknown, place: Place, problems: Problem[]): void {
  const { path, max } = place
  if (problems.length >= max) return
  const add = (code: ErrorCode, message: string) => problems.push({ path: jsonPointer(path), message, code })
  if (typeof value === 'string') collectText(value, add)
  else if (typeof value === 'number') {
    if (!Number.isFinite(value)) add('COORD_BODY_WRONG_TYPE', 'is not a number that JSON can hold')
    else if (!isExactNumber(value))
      add('COORD_NUMBER_TOO_LARGE', 'is beyond 2^53 - 1, where JSON readers change numbers: send it as text')
  } else if (value !== null && typeof value === 'object') {
    if (path.length >= LIMITS.depth)
      add('COORD_BODY_TOO_DEEP', `is nested more than ${LIMITS.depth} levels deep`)
    else if (Array.isArray(value)) collectItems(value, place, problems)
    else if (isPlain(value)) collectMembers(value as Record<string, unknown>, place, problems)
    else add('COORD_BODY_WRONG_TYPE', 'is not a plain object')
  } else if (value !== null && typeof value !== 'boolean')
    add('COORD_BODY_WRONG_TYPE', `is a ${typeof value}, which JSON cannot hold`)
}

function collectItems(items: readonly unknown[], place: Place, problems: Problem[]): void {
  for (let index = 0; index < items.length && problems.length < place.max; index += 1) {
    place.path.push(index)
    collect(items[index], place, problems)
    place.path.pop()
  }
}

function collectMembers(members: Record<string, unknown>, place: Place, problems: Problem[]): void {
  const { path, max } = place
  for (const key of Object.keys(members)) {
    if (problems.length >= max) return
    // A key that cannot be stored cannot be shown either, so the path ends at its object.
    const add = (code: ErrorCode, message: string) =>
      problems.push({ path: jsonPointer(path), message: `has a key that ${message}`, code })
    if (isForbidden(key)) add('COORD_KEY_FORBIDDEN', `is refused: ${key}`)
    else collectText(key, add)
    if (members[key] === undefined) continue
    path.push(key.toWellFormed())
    collect(members[key], place, problems)
    path.pop()
  }
}

function collectText(text: string, add: (code: ErrorCode, message: string) => void): void {
  if (text.includes('\0')) add('COORD_TEXT_NUL', 'holds U+0000')
  if (!text.isWellFormed()) add('COORD_TEXT_SURROGATE', 'holds half of a surrogate pair')
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function isForbidden(key: string): boolean {
  return key === '__proto__'
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
