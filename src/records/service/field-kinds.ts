import { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import { bodyLengths } from '../body/body-lengths.ts'
import type { IssueParameters } from '../body/schema-problems.ts'
import { isJsonObject, type JsonObject } from '../canonical-json.ts'
import { isExactNumber } from '../exact-number.ts'
import { fits, LIMITS } from '../limits.ts'
import { endpointFault } from './endpoint.ts'
import {
  type Field,
  type FieldSet,
  type Fields,
  isPlainObject,
  type Kind,
  type Shape,
  type StoredFields,
} from './field-set.ts'

interface Fault {
  readonly code: ErrorCode
  readonly message: string
}

/** A text of 1 to `max` characters, of which at least one is not blank. */
export function text(
  max: number,
  {
    empty = 'COORD_FIELD_INVALID',
    tooLong = 'COORD_FIELD_TOO_LARGE',
  }: { empty?: ErrorCode; tooLong?: ErrorCode } = {},
): Kind<z.ZodString, string> {
  return textKind(
    { minLength: 1, maxLength: max },
    (value) => emptyFault(value, empty) ?? lengthFault(value, max, tooLong),
    // A first character that is visible ASCII is the fastest proof that not all are blank.
    (value) => value.charCodeAt(0) > 0x20 && value.charCodeAt(0) < 0x7f,
  )
}

/** A text of up to `max` characters, which may be empty. */
export function freeText(max: number): Kind<z.ZodString, string> {
  return textKind(
    { maxLength: max },
    (value) => lengthFault(value, max),
    () => true,
  )
}

/** The URL under which others reach a service. */
export const endpoint = textKind(
  { format: 'uri', maxLength: LIMITS.endpointLength },
  endpointFault,
  (value) => endpointFault(value) === undefined,
)

/** A path at the endpoint, or a URL. */
export const pathOrUrl = textKind(
  { minLength: 1, maxLength: LIMITS.healthCheckLength },
  pathOrUrlFault,
  (value) => value.startsWith('/'),
)

function pathOrUrlFault(value: string): Fault | undefined {
  const fault = emptyFault(value) ?? lengthFault(value, LIMITS.healthCheckLength)
  if (fault !== undefined || !/^[a-z][a-z0-9+.-]*:/i.test(value)) return fault
  const urlFault = endpointFault(value)
  return urlFault && { code: 'COORD_FIELD_INVALID', message: urlFault.message }
}

/** @param isSurelyRight of a text that is short enough and that every database can store */
function textKind(
  meta: { readonly maxLength: number; readonly minLength?: number; readonly format?: string },
  fault: (value: string) => Fault | undefined,
  isSurelyRight: (value: string) => boolean,
): Kind<z.ZodString, string> {
  return {
    schema: z.string().check(rule(fault)).meta(meta),
    fast: (value) => (isStorableText(value, meta.maxLength) && isSurelyRight(value) ? value : undefined),
    stored: itself,
    storedFault: (value, name) => (typeof value === 'string' ? undefined : `${name} is not a text`),
  }
}

/** A whole number from 1 to `max`. */
export function wholeNumber(max: number): Kind<z.ZodNumber, number> {
  const isWithin = (value: unknown, limit: number): value is number =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= limit
  const message = `must be a whole number from 1 to ${max}`
  const fault = (value: number): Fault | undefined =>
    isWithin(value, max) ? undefined : { code: 'COORD_FIELD_INVALID', message }
  return {
    schema: z.number().check(rule(fault)).meta({ type: 'integer', minimum: 1, maximum: max }),
    fast: (value) => (isWithin(value, max) ? value : undefined),
    stored: itself,
    storedFault: (value, name) =>
      isWithin(value, 0x7fffffff) ? undefined : `${name} is not a whole number above 0`,
  }
}

/** A set of short texts; repeated ones are dropped. */
export function labels(maxItems: number, code?: ErrorCode): Kind<z.ZodArray<z.ZodString>, readonly string[]> {
  const { schema, fast } = list(text(LIMITS.labelLength), maxItems, code)
  return {
    schema,
    fast: (value) => {
      const items = fast(value)
      return items === undefined ? undefined : withoutRepeats(items)
    },
    stored: withoutRepeats,
    storedFault: (value, name) =>
      Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? undefined
        : `${name} is not an array of texts`,
  }
}

/** A list of items of one kind. */
export function list<S extends z.ZodType, Stored>(
  item: Kind<S, Stored>,
  maxItems: number,
  code: ErrorCode = 'COORD_FIELD_TOO_LARGE',
): Kind<z.ZodArray<S>, readonly Stored[]> {
  return {
    schema: z.array(item.schema).meta({ maxItems }).register(bodyLengths, { maxItems, code }),
    fast: (value) => {
      if (!Array.isArray(value) || value.length > maxItems) return undefined
      const items: Stored[] = []
      for (let index = 0; index < value.length; index += 1) {
        const stored = item.fast(value[index])
        if (stored === undefined) return undefined
        items.push(stored)
      }
      return items
    },
    stored: (items) => items.map(item.stored),
    storedFault: (value, name) => {
      if (!Array.isArray(value)) return `${name} is not an array`
      for (const each of value) {
        const fault = item.storedFault(each, name)
        if (fault !== undefined) return fault
      }
      return undefined
    },
  }
}

/** A name, or an object with the name and more; stored as the name where nothing else is known. */
export function nameOrObject<F extends Fields & { readonly serviceName: Field }>(
  name: Kind<z.ZodString, string>,
  object: FieldSet<F>,
): Kind<z.ZodUnion<readonly [z.ZodString, z.ZodObject<Shape<F>>]>, string | StoredFields<F>> {
  const shortened = (stored: StoredFields<F>): string | StoredFields<F> => {
    for (const key in stored) if (key !== 'serviceName') return stored
    return (stored as Readonly<Record<string, unknown>>)['serviceName'] as string
  }
  return {
    schema: z.union([name.schema, object.schema]),
    fast: (value) => {
      if (typeof value === 'string') return name.fast(value)
      const stored = object.fast(value)
      return stored === undefined ? undefined : shortened(stored)
    },
    stored: (value) => (typeof value === 'string' ? value : shortened(object.stored(value))),
    storedFault: (value) =>
      (
        typeof value === 'string'
          ? value !== ''
          : isJsonObject(value) && object.storedFault(value) === undefined
      )
        ? undefined
        : 'a dependency is neither a text nor an object with a serviceName',
  }
}

/** Such a document is far below every limit in bytes, however much of it must be escaped. */
const FAST_UNITS = 2_000
const FAST_KEYS = 64

/** An object of any content, up to a size in bytes of JSON. */
export function document(maxBytes: number): Kind<z.ZodObject<z.ZodRawShape, z.core.$loose>, JsonObject> {
  const fault = (value: unknown): Fault | undefined => {
    const json = JSON.stringify(value)
    // No UTF-16 code unit takes more than three bytes, so that most documents need not be measured.
    if (json.length * 3 <= maxBytes || Buffer.byteLength(json) <= maxBytes) return undefined
    return { code: 'COORD_FIELD_TOO_LARGE', message: `has more than ${maxBytes} bytes as JSON` }
  }
  return {
    schema: z.looseObject({}).check(rule(fault)).register(bodyLengths, { maxBytes }),
    fast: (value) => (isSmallAndFlat(value) ? { ...value } : undefined),
    stored: (value) => ({ ...value }) as JsonObject,
    storedFault: (value, name) => (isJsonObject(value) ? undefined : `${name} is not an object`),
  }
}

function isSmallAndFlat(value: unknown): value is JsonObject {
  if (!isPlainObject(value)) return false
  let units = 0
  let keys = 0
  for (const key in value) {
    if (key === '__proto__' || key === 'constructor' || !isStorableText(key, FAST_UNITS)) return false
    const member = value[key]
    if (typeof member === 'string') {
      if (!isStorableText(member, FAST_UNITS)) return false
      units += member.length
    } else if (typeof member === 'number') {
      if (!isExactNumber(member)) return false
    } else if (typeof member !== 'boolean' && member !== null) return false
    units += key.length
    keys += 1
  }
  return units <= FAST_UNITS && keys <= FAST_KEYS
}

/** A text that every database can store, of at most `max` code units: it never has more characters than those. */
function isStorableText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max && value.isWellFormed() && !value.includes('\0')
}

/** Lists are short and have no repeats: looking through them costs less than making a set. */
function withoutRepeats(list: readonly string[]): readonly string[] {
  for (let at = 1; at < list.length; at += 1)
    if (list.lastIndexOf(list[at] as string, at - 1) !== -1) return [...new Set(list)]
  return list
}

/** A zod check that reports our own codes. */
function rule<T>(fault: (value: T) => Fault | undefined): z.core.CheckFn<T> {
  return ({ value, issues }) => {
    const found = fault(value)
    if (found === undefined) return
    const params = { code: found.code } satisfies IssueParameters
    issues.push({ code: 'custom', input: value, message: found.message, params })
  }
}

function emptyFault(value: string, code: ErrorCode = 'COORD_FIELD_INVALID'): Fault | undefined {
  return value.trim() === '' ? { code, message: 'is empty' } : undefined
}

function lengthFault(
  value: string,
  max: number,
  code: ErrorCode = 'COORD_FIELD_TOO_LARGE',
): Fault | undefined {
  return fits(value, max) ? undefined : { code, message: `has more than ${max} characters` }
}

function itself<T>(value: T): T {
  return value
}
