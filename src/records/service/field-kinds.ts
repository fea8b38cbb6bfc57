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
import { DEFAULT_NAMESPACE, isNamespace, NAMESPACE_LENGTH, NAMESPACE_RULE } from './namespace.ts'

interface Fault {
  readonly code: ErrorCode
  readonly message: string
}

/** A text of 1 to `max` characters that is not blank. */
export function text(max: number, codes: { readonly empty?: ErrorCode; readonly tooLong?: ErrorCode } = {}) {
  return textKind(
    { minLength: 1, maxLength: max },
    (value) => emptyFault(value, codes.empty) ?? lengthFault(value, max, codes.tooLong),
    // A visible first character shows fastest that the text is not blank.
    (value) => value.charCodeAt(0) > 0x20 && value.charCodeAt(0) < 0x7f,
  )
}

/** A text of up to `max` characters, which may be empty. */
export function freeText(max: number) {
  const fault = (value: string) => lengthFault(value, max)
  return textKind({ maxLength: max }, fault, () => true)
}

/** The URL of a service. */
export const endpoint = textKind(
  { format: 'uri', maxLength: LIMITS.endpointLength },
  endpointFault,
  (value) => endpointFault(value) === undefined,
)

/** A path at the endpoint, or a URL. */
export const pathOrUrl = textKind(
  { minLength: 1, maxLength: LIMITS.healthCheckLength },
  (value) => {
    const fault = emptyFault(value) ?? lengthFault(value, LIMITS.healthCheckLength)
    if (fault !== undefined || !/^[a-z][a-z0-9+.-]*:/i.test(value)) return fault
    const urlFault = endpointFault(value)
    return urlFault && { code: 'COORD_FIELD_INVALID', message: urlFault.message }
  },
  (value) => value.startsWith('/') || endpointFault(value) === undefined,
)

/** A namespace. The fault of a stored one matters: ids of nodes are made from it. */
export const namespace: Kind<z.ZodString> = {
  ...textKind(
    { minLength: 1, maxLength: NAMESPACE_LENGTH, pattern: '^[a-z0-9-]+$' },
    (value) => (isNamespace(value) ? undefined : { code: 'COORD_FIELD_INVALID', message: NAMESPACE_RULE }),
    isNamespace,
  ),
  storedFault: (value, name) =>
    typeof value === 'string' && isNamespace(value) ? undefined : `${name} ${NAMESPACE_RULE}`,
}

/** The namespace of a registration: `default` is stored as no namespace. */
export const ownNamespace: Kind<z.ZodString, string | undefined> = {
  ...namespace,
  stored: (value) => (value === DEFAULT_NAMESPACE ? undefined : value),
}

/** @param isPlain checks a text that is short enough and that every database can store */
function textKind(
  meta: {
    readonly maxLength: number
    readonly minLength?: number
    readonly format?: string
    readonly pattern?: string
  },
  fault: (value: string) => Fault | undefined,
  isPlain: (value: string) => boolean,
): Kind<z.ZodString> {
  return {
    schema: z.string().check(rule(fault)).meta(meta),
    isPlain: (value) => isStorableText(value, meta.maxLength) && isPlain(value),
    stored: itself,
    storedFault: (value, name) => (typeof value === 'string' ? undefined : `${name} is not a text`),
  }
}

/** A whole number from 1 to `max`. */
export function wholeNumber(max: number): Kind<z.ZodNumber> {
  const isWithin = (value: unknown, limit: number) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= limit
  const fault = { code: 'COORD_FIELD_INVALID', message: `must be a whole number from 1 to ${max}` } as const
  return {
    schema: z
      .number()
      .check(rule((value) => (isWithin(value, max) ? undefined : fault)))
      .meta({ type: 'integer', minimum: 1, maximum: max }),
    isPlain: (value) => isWithin(value, max),
    stored: itself,
    storedFault: (value, name) =>
      isWithin(value, 0x7fffffff) ? undefined : `${name} is not a whole number above 0`,
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
    isPlain: (value) => {
      if (!Array.isArray(value) || value.length > maxItems) return false
      for (let index = 0; index < value.length; index += 1) if (!item.isPlain(value[index])) return false
      return true
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

/** A set of short texts; repeated ones are dropped. */
export function labels(maxItems: number, code?: ErrorCode): Kind<z.ZodArray<z.ZodString>, readonly string[]> {
  return {
    ...list(text(LIMITS.labelLength), maxItems, code),
    stored: withoutRepeats,
    storedFault: (value, name) =>
      Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? undefined
        : `${name} is not an array of texts`,
  }
}

/** The list without repeated items. It searches instead of making a set, because most lists are short and have no repeats. */
function withoutRepeats(list: readonly string[]): readonly string[] {
  for (let at = 1; at < list.length; at += 1)
    if (list.lastIndexOf(list[at] as string, at - 1) !== -1) return [...new Set(list)]
  return list.slice()
}

/** A name, or an object with a name and more. An object with only a name is stored as the name. */
export function nameOrObject<F extends Fields & { readonly serviceName: Field }>(
  name: Kind<z.ZodString>,
  object: FieldSet<F>,
): Kind<z.ZodUnion<readonly [z.ZodString, z.ZodObject<Shape<F>>]>, string | StoredFields<F>> {
  return {
    schema: z.union([name.schema, object.schema]),
    isPlain: (value) => (typeof value === 'string' ? name.isPlain(value) : object.isPlain(value)),
    stored: (value) => {
      if (typeof value === 'string') return value
      const stored = object.stored(value)
      for (const key in stored) if (key !== 'serviceName') return stored
      return (stored as Readonly<Record<string, unknown>>)['serviceName'] as string
    },
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

/** An object of any content, up to a size in bytes of JSON. */
export function document(maxBytes: number): Kind<z.ZodObject<z.ZodRawShape, z.core.$loose>, JsonObject> {
  const fault = { code: 'COORD_FIELD_TOO_LARGE', message: `has more than ${maxBytes} bytes as JSON` } as const
  const isTooLarge = (json: string) => json.length * 3 > maxBytes && Buffer.byteLength(json) > maxBytes
  return {
    schema: z
      .looseObject({})
      .check(rule((value) => (isTooLarge(JSON.stringify(value)) ? fault : undefined)))
      .register(bodyLengths, { maxBytes }),
    isPlain: isSmallAndFlat,
    stored: (value) => ({ ...value }) as JsonObject,
    storedFault: (value, name) => (isJsonObject(value) ? undefined : `${name} is not an object`),
  }
}

/** A document of this size is far below every limit in bytes, even if each character needs an escape. */
const PLAIN_UNITS = 2_000
const PLAIN_KEYS = 64

function isSmallAndFlat(value: unknown): boolean {
  if (!isPlainObject(value)) return false
  let [units, keys] = [0, 0]
  for (const key in value) {
    if (key === '__proto__' || !isStorableText(key, PLAIN_UNITS)) return false
    const member = value[key]
    if (typeof member === 'string') {
      if (!isStorableText(member, PLAIN_UNITS)) return false
      units += member.length
    } else if (typeof member === 'number') {
      if (!isExactNumber(member)) return false
    } else if (typeof member !== 'boolean' && member !== null) return false
    units += key.length
    keys += 1
  }
  return units <= PLAIN_UNITS && keys <= PLAIN_KEYS
}

/** A text that every database can store, of at most `max` code units, and therefore at most `max` characters. */
function isStorableText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max && value.isWellFormed() && !value.includes('\0')
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
