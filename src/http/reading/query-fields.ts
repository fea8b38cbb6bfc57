import { z } from 'zod'
import { isNamespace, NAMESPACE_RULE } from '../../records/service/namespace.ts'

/** @returns a parser of text; the reference shows the parameter as a number */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message)
    .optional()
    .meta({ type: 'integer', minimum: min, maximum: max })
}

/** A namespace. */
export const namespaceParameter = z
  .string()
  .refine(isNamespace, NAMESPACE_RULE)
  .optional()
  .meta({ description: 'Only this namespace.', example: 'shop' })

export const revisionText = z
  .string()
  .regex(/^\d+$/, 'must be a whole number')
  .transform(Number)
  .refine(Number.isSafeInteger, 'is larger than any revision')
  .meta({ type: 'integer', minimum: 0 })

/**
 * A parameter that may be repeated, or contain several values separated by commas.
 *
 * @param among the allowed values. @default any
 */
export function several(description: string, among?: readonly string[]) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given) =>
      [given]
        .flat()
        .flatMap((text) => text.split(','))
        .filter((text) => text !== ''),
    )
    .refine(({ length }) => length > 0, 'is empty')
    .refine(
      (values) => among === undefined || values.every((value) => among.includes(value)),
      `must be one of ${among?.join(', ')}`,
    )
    .optional()
    .meta({ description: `${description} If repeated or separated by commas, any of the values may match.` })
}

/** Parameters for a page of the history of one record. */
export const pageOfHistory = {
  before: revisionText
    .optional()
    .meta({ description: 'Only entries below this revision. Pass `next` of the previous page.' }),
  limit: wholeNumber(1, 100).meta({ description: 'Entries on a page.', default: 100 }),
}
