import { z } from 'zod'
import type { ErrorCode, Problem } from '../../errors.ts'
import { LIMITS } from '../limits.ts'
import { jsonPointer } from './check-json.ts'

/** How long a list, or an object with free content, may be. */
export interface BodyLength {
  readonly maxItems?: number
  /** The size of the value as JSON. */
  readonly maxBytes?: number
  /** @default COORD_FIELD_TOO_LARGE */
  readonly code?: ErrorCode
}

type Schema = z.core.$ZodType

/**
 * The limits for the parts of bodies, by schema. Every list, and every object with free content, that a route accepts has its limit here.
 * The length is checked before the content, so that a body that is too long costs no more than a short one.
 */
export const bodyLengths = z.registry<BodyLength>()

/** The parts of the body that are too long, at most `LIMITS.problems`. The search reads no more of the body than the limits allow. */
export function lengthProblems(schema: Schema, body: unknown): readonly Problem[] {
  const comparison = new Comparison()
  comparison.compare(schema, body)
  return comparison.problems
}

class Comparison {
  readonly problems: Problem[] = []
  /** The path to the current value. It is one list, because most bodies have no problem and need no path. */
  readonly #path: PropertyKey[] = []

  compare(schema: Schema, value: unknown): void {
    if (typeof value !== 'object' || value === null || this.problems.length >= LIMITS.problems) return
    const { def } = (schema as z.core.$ZodTypes)._zod
    switch (def.type) {
      case 'optional':
      case 'nullable':
      case 'default':
      case 'prefault':
        return this.compare(def.innerType, value)
      case 'pipe':
        return this.compare(def.in, value)
      case 'union':
        for (const option of def.options) this.compare(option, value)
        return
      case 'array':
        if (Array.isArray(value)) this.#compareList(schema, def.element, value)
        return
      case 'object':
        if (!Array.isArray(value)) this.#compareObject(schema, def.shape, value)
        return
      default:
    }
  }

  #compareList(list: Schema, item: Schema, value: readonly unknown[]): void {
    const { maxItems = Number.POSITIVE_INFINITY, code } = bodyLengths.get(list) ?? {}
    if (value.length > maxItems) return this.#add(`has ${value.length} items; the limit is ${maxItems}`, code)
    if (!hasLengths(item)) return
    for (let index = 0; index < value.length; index += 1) this.#within(index, item, value[index])
  }

  #compareObject(object: Schema, shape: Readonly<Record<string, Schema>>, value: object): void {
    const { maxBytes, code } = bodyLengths.get(object) ?? {}
    if (maxBytes !== undefined) {
      if (surelyExceeds(value, maxBytes)) this.#add(`has more than ${maxBytes} bytes as JSON`, code)
      return
    }
    if (hasMoreMembers(value, LIMITS.members))
      return this.#add(`has more than ${LIMITS.members} members`, code)
    for (const key in shape)
      if (Object.hasOwn(value, key))
        this.#within(key, shape[key] as Schema, (value as Record<string, unknown>)[key])
  }

  #within(place: PropertyKey, schema: Schema, value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    this.#path.push(place)
    this.compare(schema, value)
    this.#path.pop()
  }

  #add(message: string, code: ErrorCode = 'COORD_FIELD_TOO_LARGE'): void {
    this.problems.push({ path: jsonPointer(this.#path), message, code })
  }
}

const knownToHaveLengths = new WeakMap<Schema, boolean>()

/** Whether a value of a schema can contain a part with a limit. Most lists contain texts, which have their own rules. */
function hasLengths(schema: Schema): boolean {
  const known = knownToHaveLengths.get(schema)
  if (known !== undefined) return known
  const { def } = (schema as z.core.$ZodTypes)._zod
  const found =
    def.type === 'object' || def.type === 'array' || (def.type === 'union' && def.options.some(hasLengths))
  knownToHaveLengths.set(schema, found)
  return found
}

function hasMoreMembers(value: object, max: number): boolean {
  let members = 0
  for (const _ in value) {
    members += 1
    if (members > max) return true
  }
  return false
}

/** Whether the JSON of a value is certainly longer than a number of bytes. It stops as soon as that is certain. */
export function surelyExceeds(value: unknown, maxBytes: number): boolean {
  return bytesLeft(value, maxBytes, 1) < 0
}

function bytesLeft(value: unknown, left: number, level: number): number {
  if (typeof value === 'string') return left - value.length - 2
  if (typeof value !== 'object' || value === null) return left - 1
  // A value with more levels is refused for its depth. It must not exhaust the stack here.
  if (level > LIMITS.depth) return left
  let rest = left - 1
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && rest >= 0; index += 1)
      rest = bytesLeft(value[index], rest - 1, level + 1)
    return rest
  }
  for (const key in value) {
    rest = bytesLeft((value as Record<string, unknown>)[key], rest - key.length - 4, level + 1)
    if (rest < 0) break
  }
  return rest
}
