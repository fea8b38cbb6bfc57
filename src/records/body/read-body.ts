import { z } from 'zod'
import type { Problem } from '../../errors.ts'
import { LIMITS } from '../limits.ts'
import { lengthProblems } from './body-lengths.ts'
import { checkJsonValue, invalidBody, jsonPointer } from './check-json.ts'
import { schemaProblems } from './schema-problems.ts'

/**
 * Reads a body by its schema: first the lengths, then whether every database can store it, then the rest, up to a number of problems. All
 * bodies are read here, so a body with 500,000 problems is refused as fast as a body with one. Many languages send `null` for a member that
 * has no value: for a member that may be absent, it is the same as leaving it out.
 *
 * @param problemsMax how many problems to look for. @default LIMITS.problems
 * @throws CoordinatorError with every problem in `errors`; its code is that of the first one
 */
export function readBody<S extends z.ZodType>(
  schema: S,
  body: unknown,
  problemsMax: number = LIMITS.problems,
): z.output<S> {
  const result = tryBody(schema, body, problemsMax)
  if ('problems' in result) throw invalidBody(result.problems)
  return result.data
}

/** Like `readBody`, for callers that add their own problems. @throws if something is too long, or cannot be stored */
export function tryBody<S extends z.ZodType>(
  schema: S,
  body: unknown,
  problemsMax: number = LIMITS.problems,
): { readonly data: z.output<S> } | { readonly problems: readonly Problem[] } {
  const tooLong = lengthProblems(schema, body)
  if (tooLong.length > 0) throw invalidBody(tooLong.slice(0, problemsMax))
  checkJsonValue(body, problemsMax)
  const reading = new Reading(body, problemsMax)
  const data = reading.read(schema, body)
  return reading.problems.length === 0 ? { data: data as z.output<S> } : { problems: reading.problems }
}

/** Reads part by part, because a schema that reads a whole body would search for every problem. */
class Reading {
  readonly problems: Problem[] = []
  readonly #body: unknown
  readonly #max: number
  /** The path to the current value in the body. */
  readonly #path: PropertyKey[] = []

  constructor(body: unknown, max: number) {
    this.#body = body
    this.#max = max
  }

  get #full(): boolean {
    return this.problems.length >= this.#max
  }

  /** @returns the value that was read; any value if there are problems */
  read(schema: z.ZodType, value: unknown): unknown {
    if (mayBeAbsent(schema)) {
      const inner = schema.unwrap() as z.ZodType
      const isAbsent = value === undefined || (value === null && !(inner instanceof z.ZodNullable))
      return isAbsent ? this.#whole(schema, undefined) : this.read(inner, value)
    }
    if (schema instanceof z.ZodUnion && hasNoChecks(schema) && isObject(value)) {
      const object = schema.options.find((option) => option instanceof z.ZodObject)
      if (object !== undefined) return this.read(object, value)
    }
    if (schema instanceof z.ZodArray && hasNoChecks(schema) && Array.isArray(value))
      return this.#items(schema, value)
    if (schema instanceof z.ZodObject && hasNoChecks(schema) && !isLoose(schema) && isObject(value))
      return this.#members(schema, value)
    return this.#whole(schema, value)
  }

  #items(schema: z.ZodArray, value: readonly unknown[]): unknown[] {
    const items: unknown[] = []
    for (let index = 0; index < value.length && !this.#full; index += 1)
      items.push(this.#within(index, schema.element as z.ZodType, value[index]))
    return items
  }

  #members(schema: z.ZodObject, value: Record<string, unknown>): Record<string, unknown> {
    const members: Record<string, unknown> = {}
    for (const key in schema.shape) {
      if (this.#full) return members
      const given = Object.hasOwn(value, key) ? value[key] : undefined
      const member = this.#within(key, schema.shape[key] as z.ZodType, given)
      if (member !== undefined) members[key] = member
    }
    if (schema.def.catchall !== undefined) this.#refuseUnknown(schema, value)
    return members
  }

  /** A strict object must not have other members. */
  #refuseUnknown(schema: z.ZodObject, value: Record<string, unknown>): void {
    for (const key in value) {
      if (this.#full) return
      if (Object.hasOwn(schema.shape, key)) continue
      const path = jsonPointer([...this.#path, key])
      this.problems.push({ path, message: 'is not known here', code: 'COORD_FIELD_INVALID' })
    }
  }

  #within(place: PropertyKey, schema: z.ZodType, value: unknown): unknown {
    this.#path.push(place)
    const read = this.read(schema, value)
    this.#path.pop()
    return read
  }

  #whole(schema: z.ZodType, value: unknown): unknown {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const found = schemaProblems(result.error.issues, this.#body, this.#path)
    this.problems.push(...found.slice(0, this.#max - this.problems.length))
    return undefined
  }
}

/** Whether a member with this schema may be left out, and therefore be `null`. */
export function mayBeAbsent(schema: z.core.$ZodType): schema is z.ZodOptional | z.ZodDefault {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
}

function hasNoChecks({ def }: z.ZodType): boolean {
  return (def.checks ?? []).length === 0
}

function isLoose({ def }: z.ZodObject): boolean {
  return def.catchall !== undefined && !(def.catchall instanceof z.ZodNever)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
