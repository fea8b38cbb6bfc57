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

/** Which values a parameter may have. */
export interface ValueRule {
  readonly allows: (value: string) => boolean
  /** The rest of a sentence that begins with the name of the parameter. */
  readonly message: string
}

export function oneOf(values: readonly string[]): ValueRule {
  return { allows: (value) => values.includes(value), message: `must be one of ${values.join(', ')}` }
}

export const namespaceRule: ValueRule = { allows: isNamespace, message: NAMESPACE_RULE }

const anyValue: ValueRule = { allows: () => true, message: '' }

/** A parameter that may be repeated, or contain several values separated by commas. */
export function several(description: string, { allows, message }: ValueRule = anyValue) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given) =>
      [given]
        .flat()
        .flatMap((text) => text.split(','))
        .filter((text) => text !== ''),
    )
    .refine(({ length }) => length > 0, 'is empty')
    .refine((values) => values.every(allows), message)
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
