import { z } from 'zod'
import { FieldSet, type StoredFields } from './field-set.ts'
import { DEFAULT_NAMESPACE } from './namespace.ts'
import { registrationFields } from './registration-fields.ts'

/** Kind of the records that hold services. */
export const SERVICE_KIND = 'service'

/** Members that an answer adds to a service. Stored data never contains them. */
export const ADDED_FIELDS: readonly string[] = [
  'serviceId',
  'id',
  'status',
  'health',
  'registeredAt',
  'updatedAt',
  'lastHeartbeat',
  'revision',
]

/** The fields of a registration. */
export const registration = new FieldSet(registrationFields)

/** The body of a registration. */
export const registrationSchema = registration.schema

/** The second stage of a registration. */
export const migrationSchema = z.object({
  migrationFile: registrationFields.migrationFile.schema.unwrap(),
})

/** The type of a registration as a program sends it. Lists may be read-only, and a member that may be absent may be `null`. */
export interface RegistrationInput extends ReadOnly<z.input<typeof registrationSchema>> {}

/**
 * A registration in its stored form: all defaults are filled in, no tag or capability is repeated, and a dependency with only a name is
 * that name. The same registration always has the same form.
 */
export type Registration = StoredFields<typeof registrationFields>

/** A needed service: only its name, or an object if more is known. */
export type Dependency = Registration['dependencies'][number]

/** The stored form of an accepted registration. A dependency does not repeat the namespace of the registration. */
export function storedRegistration(accepted: Readonly<Record<string, unknown>>): Registration {
  const stored = registration.stored(accepted)
  const own = stored.namespace ?? DEFAULT_NAMESPACE
  const repeats = (dependency: Dependency) => typeof dependency !== 'string' && dependency.namespace === own
  if (!stored.dependencies.some(repeats)) return stored
  return {
    ...stored,
    dependencies: stored.dependencies.map((dependency) =>
      repeats(dependency) ? withoutNamespace(dependency as Exclude<Dependency, string>) : dependency,
    ),
  }
}

function withoutNamespace({ namespace: _, ...rest }: Exclude<Dependency, string>): Dependency {
  return Object.keys(rest).length === 1 ? rest.serviceName : rest
}

type ReadOnly<T> = T extends readonly (infer Item)[]
  ? readonly ReadOnly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadOnly<T[K]> | (object extends Pick<T, K> ? null : never) }
    : T
