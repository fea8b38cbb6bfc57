import { z } from 'zod'

/** Everything that is known of one kind of value, in one place: a field that has a kind is complete. */
export interface Kind<S extends z.ZodType, Stored> {
  /** Decides what may be sent, names everything that is wrong, and documents it. */
  readonly schema: S
  /**
   * The stored form of a value that is surely right; `undefined` where only the schema can tell. It takes a fifth of the schema's time,
   * and registering is what a coordinator does most.
   */
  readonly fast: (value: unknown) => Stored | undefined
  /** The stored form of a value that the schema has accepted. */
  readonly stored: (value: z.output<S>) => Stored
  /**
   * What is wrong with a value in the database, where people may write anything; `undefined` for nothing. It checks only what every reader
   * of the value relies on, because it runs for every record of a load.
   */
  readonly storedFault: (value: unknown, name: string) => string | undefined
}

/** One member of an object: its kind, and what holds where it is absent. */
export interface Field<S extends z.ZodType = z.ZodType, Stored = unknown, Presence extends string = string>
  extends Omit<Kind<S, Stored>, 'stored'> {
  // biome-ignore lint/suspicious/noExplicitAny: a table holds fields of all kinds
  readonly stored: (value: any) => Stored
  readonly presence: Presence
  /** What is stored of an absent field; `undefined` for nothing. It is shared: never change it. */
  readonly absent?: Stored
}

/** A kind that says in the documents what its values are for. */
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

/** A field that is stored with this value where none was sent. */
export function withDefault<S extends z.ZodType, Stored>(
  absent: NoInfer<Stored> & z.util.NoUndefined<z.output<S>>,
  kind: Kind<S, Stored>,
  description?: string,
): Field<z.ZodDefault<S>, Stored, 'default'> {
  const schema = described(kind, description).schema.default(absent)
  return { ...kind, presence: 'default', schema, absent: Object.freeze(absent) }
}

export type Fields = Readonly<Record<string, Field>>

/** An object with these fields, in the form in which it is stored. */
export type StoredFields<F extends Fields> = Flat<
  {
    readonly [K in keyof F as F[K]['presence'] extends 'optional' ? never : K]: StoredOf<F[K]>
  } & {
    readonly [K in keyof F as F[K]['presence'] extends 'optional' ? K : never]?: StoredOf<F[K]>
  }
>

type StoredOf<F extends Field> = Exclude<ReturnType<F['fast']>, undefined>
type Flat<T> = { [K in keyof T]: T[K] }
export type Shape<F extends Fields> = { [K in keyof F]: F[K]['schema'] }

/** An object whose members a table of fields describes. */
export class FieldSet<F extends Fields> {
  readonly schema: z.ZodObject<Shape<F>>
  readonly names: readonly string[]
  readonly #fields: readonly NamedField[]
  /** In the order of canonical JSON, so that what is stored need not be sorted. */
  readonly #sorted: readonly NamedField[]

  constructor(fields: F) {
    const entries: [string, Field][] = Object.entries(fields)
    const shape = Object.fromEntries(entries.map(([name, { schema }]) => [name, schema]))
    this.schema = z.object(shape as Shape<F>)
    this.names = Object.keys(fields)
    this.#fields = entries.map(([name, field]) => ({ name, ...field }))
    this.#sorted = this.#fields.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** As `Kind.fast`: known fields only, each with a value that is surely right. */
  fast(input: unknown): StoredFields<F> | undefined {
    if (!isPlainObject(input)) return undefined
    const stored: Record<string, unknown> = {}
    let unread = 0
    for (const _ in input) unread += 1
    for (const { name, presence, absent, fast } of this.#sorted) {
      const value = input[name]
      if (value === undefined) {
        if (presence === 'required') return undefined
        if (absent !== undefined) stored[name] = absent
      } else {
        const form = fast(value)
        if (form === undefined) return undefined
        stored[name] = form
        unread -= 1
      }
    }
    return unread === 0 ? (stored as StoredFields<F>) : undefined
  }

  /** As `Kind.stored`. */
  stored(accepted: Readonly<Record<string, unknown>>): StoredFields<F> {
    const stored: Record<string, unknown> = {}
    for (const { name, absent, stored: formOf } of this.#sorted) {
      const value = accepted[name]
      const form = value === undefined ? absent : formOf(value)
      if (form !== undefined) stored[name] = form
    }
    return stored as StoredFields<F>
  }

  /** As `Kind.storedFault`: the first fault in the order of the table. */
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

/** Whether a value is an object as JSON text makes it: of no class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
