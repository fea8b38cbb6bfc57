import { z } from 'zod'
import { FieldSet, type StoredFields } from './field-set.ts'
import { registrationFields } from './registration-fields.ts'

/** Kind of the records that hold services. */
export const SERVICE_KIND = 'service'

/** Members that are added to a service when it is answered. What is stored never holds them. */
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

/** What a service sends to register. */
export const registrationSchema = registration.schema

/** The second stage of a registration. */
export const migrationSchema = z.object({
  migrationFile: registrationFields.migrationFile.schema.unwrap(),
})

/** What a service sends to register, as a type. A list may be read-only. */
export interface RegistrationInput extends ReadOnly<z.input<typeof registrationSchema>> {}

/**
 * A registration in the form in which it is stored: every default is filled in, no tag and no capability is repeated, and a dependency of
 * which only the name is known is that name. The same registration always has the same form.
 */
export type Registration = StoredFields<typeof registrationFields>

/** A needed service: only its name, or an object where more is known. */
export type Dependency = Registration['dependencies'][number]

type ReadOnly<T> = T extends readonly (infer Item)[]
  ? readonly ReadOnly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadOnly<T[K]> }
    : T
