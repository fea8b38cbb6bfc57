import { CoordinatorError } from '../../errors.ts'
import { LIMITS } from '../limits.ts'

/** Bodies up to this length cannot hold enough to take long. */
export const HARMLESS_BYTES = 65_536

/**
 * Refuses a JSON text that would take long to parse, because it is too deep or has too many values. It reads each byte once, and
 * allocates nothing.
 *
 * @param json UTF-8; it need not be valid JSON
 * @throws COORD_BODY_TOO_DEEP, COORD_BODY_TOO_LARGE
 */
export function checkStructure(json: Uint8Array): void {
  if (json.length <= HARMLESS_BYTES) return
  let level = 0
  let objects = 0
  let members = 0
  let values = 1
  /** The members of the current object at each level, counted so far. */
  const membersAt = new Uint32Array(LIMITS.depth + 1)
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case 0x22: // "
        at = endOfString(json, at)
        break
      case 0x3a: // :
        members += 1
        membersAt[level] = (membersAt[level] as number) + 1
        if ((membersAt[level] as number) > LIMITS.objectMembers)
          throw tooMuch(`an object of more than ${LIMITS.objectMembers} members`)
        break
      case 0x2c: // ,
        values += 1
        continue
      case 0x7b: // {
        objects += 1
        level += 1
        membersAt[level] = 0
        break
      case 0x5b: // [
        level += 1
        break
      case 0x7d: // }
      case 0x5d: // ]
        level = Math.max(0, level - 1)
        break
      default:
        continue
    }
    if (level > LIMITS.depth) throw tooDeep()
  }
  if (objects > LIMITS.bodyObjects) throw tooMuch(`more than ${LIMITS.bodyObjects} objects`)
  if (values > LIMITS.bodyValues) throw tooMuch(`more than ${LIMITS.bodyValues} values`)
  if (members > LIMITS.bodyMembers) throw tooMuch(`more than ${LIMITS.bodyMembers} members`)
}

function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1
  for (; at < json.length; at += 1) {
    const byte = json[at]
    if (byte === 0x22) break
    if (byte === 0x5c) at += 1
  }
  return at
}

function tooMuch(what: string): CoordinatorError {
  return new CoordinatorError('COORD_BODY_TOO_LARGE', {
    detail: `The body has ${what}.`,
    outcome: 'not_written',
  })
}

function tooDeep(): CoordinatorError {
  const message = `is nested more than ${LIMITS.depth} levels deep`
  return new CoordinatorError('COORD_BODY_TOO_DEEP', {
    detail: `The body ${message}.`,
    errors: [{ path: '', message, code: 'COORD_BODY_TOO_DEEP' }],
    outcome: 'not_written',
  })
}
