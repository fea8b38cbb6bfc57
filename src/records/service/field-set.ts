import { z } from 'zod'

/** All rules for one kind of value. A field with a kind needs nothing else. */
export interface Kind<S extends z.ZodType, Stored = z.output<S>> {
  /** Accepts or refuses a value, names every fault, and documents the field. */
  readonly schema: S
  /**
   * `true` if the schema is sure to accept the value; `false` says nothing. This check takes a fifth of the schema's time, and most requests
   * are registrations.
   */
  readonly isPlain: (value: unknown) => boolean
  /** The stored form of an accepted value; `undefined` if nothing is stored, because it is the same as no value. */
  readonly stored: (value: z.output<S>) => Stored
  /**
   * The fault of a value in the database, where people can write anything, or `undefined`. It checks only what all readers of the value rely
   * on, because it runs for every record of a load.
   */
  readonly storedFault: (value: unknown, name: string) => string | undefined
}

/** One member of an object: its kind, and whether it may be absent. */
export interface Field<S extends z.ZodType = z.ZodType, Stored = unknown, Presence extends string = string>
  extends Omit<Kind<S>, 'stored'> {
  // biome-ignore lint/suspicious/noExplicitAny: a table holds fields of all kinds
  readonly stored: (value: any) => Stored
  readonly presence: Presence
  /** The stored value if none was sent. All registrations share it, so nobody may change it. */
  readonly absent?: Stored
}

/** Adds to a kind a description for the documents. */
export function described<S extends z.ZodType, Stored>(
  kind: Kind<S, Stored>,
  description?: string,
): Kind<S, Stored> {
  return description === undefined ? kind : { ...kind, schema: kind.schema.meta({ description }) }
}

/** A field that must be sent. */
export function required<S extends z.ZodType<string>>(
  kind: Kind<S, string>,
  description?: string,
): Field<S, string, 'required'> {
  const storedFault = (value: unknown, name: string) =>
    typeof value === 'string' && value !== '' ? undefined : `${name} is not a text of at least one character`
  return { ...described(kind, description), presence: 'required', storedFault }
}

/** A field that may be absent. */
export function optional<S extends z.ZodType, Stored>(
  kind: Kind<S, Stored>,
  description?: string,
): Field<z.ZodOptional<S>, Stored, 'optional'> {
  return { ...kind, presence: 'optional', schema: described(kind, description).schema.optional() }
}

/** A field that is stored with a default if no value was sent. */
export function withDefault<S extends z.ZodType, Stored>(
  absent: NoInfer<Stored> & z.util.NoUndefined<z.output<S>>,
  kind: Kind<S, Stored>,
  description?: string,
): Field<z.ZodDefault<S>, Stored, 'default'> {
  const schema = described(kind, description).schema.default(absent)
  return { ...kind, presence: 'default', schema, absent: Object.freeze(absent) }
}

export type Fields = Readonly<Record<string, Field>>
export type Shape<F extends Fields> = { [K in keyof F]: F[K]['schema'] }
type StoredOf<F extends Field> = ReturnType<F['stored']>
type Flat<T> = { [K in keyof T]: T[K] }

/** An object with these fields, in the form in which it is stored. */
export type StoredFields<F extends Fields> = Flat<
  {
    readonly [K in keyof F as F[K]['presence'] extends 'optional' ? never : K]: StoredOf<F[K]>
  } & {
    readonly [K in keyof F as F[K]['presence'] extends 'optional' ? K : never]?: Exclude<
      StoredOf<F[K]>,
      undefined
    >
  }
>

/** An object whose members a table of fields describes. */
export class FieldSet<F extends Fields> {
  readonly schema: z.ZodObject<Shape<F>>
  readonly names: readonly string[]
  readonly #fields: readonly NamedField[]
  /** In the order of canonical JSON, so that stored members need no sorting. */
  readonly #sorted: readonly NamedField[]

  constructor(fields: F) {
    const entries: [string, Field][] = Object.entries(fields)
    const shape = Object.fromEntries(entries.map(([name, { schema }]) => [name, schema]))
    this.schema = z.object(shape as Shape<F>)
    this.names = Object.keys(fields)
    this.#fields = entries.map(([name, field]) => ({ name, ...field }))
    this.#sorted = this.#fields.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** As `Kind.isPlain`: all fields are known, and have plain values. `null` is the same as no value, as for `readBody`. */
  isPlain(input: unknown): input is Readonly<Record<string, unknown>> {
    if (!isPlainObject(input)) return false
    let unread = 0
    for (const _ in input) unread += 1
    for (const { name, presence, isPlain } of this.#sorted) {
      const value = input[name]
      if (value === undefined || value === null ? presence === 'required' : !isPlain(value)) return false
      if (value !== undefined) unread -= 1
    }
    return unread === 0
  }

  /** Like `Kind.stored`. */
  stored(accepted: Readonly<Record<string, unknown>>): StoredFields<F> {
    const stored: Record<string, unknown> = {}
    for (const { name, absent, stored: formOf } of this.#sorted) {
      const value = accepted[name] ?? undefined
      const form = value === undefined ? absent : formOf(value)
      if (form !== undefined) stored[name] = form
    }
    return stored as StoredFields<F>
  }

  /** Like `Kind.storedFault`: the first fault in the order of the table. */
  storedFault(data: Readonly<Record<string, unknown>>): string | undefined {
    for (const { name, presence, storedFault } of this.#fields) {
      const value = data[name]
      if (value === undefined && presence !== 'required') continue
      const fault = storedFault(value, name)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

type NamedField = Field & { readonly name: string }

/** Whether a value is a plain object, as `JSON.parse` makes it, and not an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
