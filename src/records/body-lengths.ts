import { z } from 'zod'
import type { ErrorCode, Problem } from '../errors.ts'
import { jsonPointer } from './check-json.ts'
import { LIMITS } from './limits.ts'

/** How much a list or an object of any content may hold at most. */
export interface BodyLength {
  readonly maxItems?: number
  /** Of the value as JSON. */
  readonly maxBytes?: number
  /** @default COORD_FIELD_TOO_LARGE */
  readonly code?: ErrorCode
}

type Schema = z.core.$ZodType

/**
 * The lengths of the parts of bodies, by schema. Every list, and every object of any content, of a body that a route takes has its
 * length here: it is judged before anything in it is, so that a long body costs no more than a short one.
 */
export const bodyLengths = z.registry<BodyLength>()

/** What is too long in a body; at most `LIMITS.problems`. Looks at no more of it than the lengths allow. */
export function lengthProblems(schema: Schema, body: unknown): readonly Problem[] {
  const comparison = new Comparison()
  comparison.compare(schema, body)
  return comparison.problems
}

class Comparison {
  readonly problems: Problem[] = []
  /** Where in the body it is. One list, for most bodies have nothing wrong that a path has to be made for. */
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

/** Whether something in a value of a schema can be too long: most lists are of texts, which their own rules judge. */
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

/** Whether a value is longer than so many bytes as JSON, whatever has to be escaped. Stops as soon as that is sure. */
export function surelyExceeds(value: unknown, maxBytes: number): boolean {
  return bytesLeft(value, maxBytes, 1) < 0
}

function bytesLeft(value: unknown, left: number, level: number): number {
  if (typeof value === 'string') return left - value.length - 2
  if (typeof value !== 'object' || value === null) return left - 1
  // What is nested more deeply is refused for that, and must not exhaust the stack here.
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
