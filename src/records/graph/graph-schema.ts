import { z } from 'zod'
import { closestWord } from '../../text/closest-word.ts'
import { bodyLengths } from '../body/body-lengths.ts'
import { readBody } from '../body/read-body.ts'
import type { IssueParameters } from '../body/schema-problems.ts'
import type { JsonObject } from '../canonical-json.ts'
import { fits, LIMITS } from '../limits.ts'
import { document } from '../service/field-kinds.ts'
import type { Warning } from '../warning.ts'

const properties = document(LIMITS.metadataBytes)
  .schema.optional()
  .meta({ description: `Anything, up to ${LIMITS.metadataBytes} bytes of JSON.` })

/** The body with which a client asserts a node. */
export const nodeBodySchema = z
  .object({
    label: z
      .string()
      .min(1, 'is empty')
      .refine((text) => fits(text, LIMITS.nameLength), {
        message: `has more than ${LIMITS.nameLength} characters`,
        params: { code: 'COORD_FIELD_TOO_LARGE' } satisfies IssueParameters,
      })
      .meta({ maxLength: LIMITS.nameLength })
      .optional()
      .meta({ description: 'For people. Without it the label comes from the id.' }),
    properties,
  })
  .meta({ id: 'NodeAssertion' })

/** The body with which a client asserts an edge. */
export const edgeBodySchema = z.object({ properties }).meta({ id: 'EdgeAssertion' })

/** A patch of a node or an edge. It may name each existing member to remove it, and the same number of new members. */
export const patchSchema = z.looseObject({}).register(bodyLengths, { maxBytes: 4 * LIMITS.metadataBytes })

export interface AssertionBody {
  readonly label?: string
  readonly properties?: JsonObject
}

/**
 * Reads an assertion. It ignores unknown members with a warning, and members that repeat the id without one.
 *
 * @param identity what the id says, by member
 * @throws COORD_BODY_WRONG_TYPE, COORD_FIELD_INVALID, COORD_FIELD_TOO_LARGE, COORD_TEXT_* with every problem
 */
export function parseAssertion(
  schema: typeof nodeBodySchema | typeof edgeBodySchema,
  input: unknown,
  identity: JsonObject,
): { readonly body: AssertionBody; readonly warnings: readonly Warning[] } {
  const body = readBody<z.ZodType<object>>(schema, input)
  const known = Object.keys(schema.shape)
  const ignored = Object.entries(input as JsonObject).filter(
    ([key, value]) => !known.includes(key) && (!Object.hasOwn(identity, key) || identity[key] !== value),
  )
  return {
    body: body as AssertionBody,
    warnings: ignored.slice(0, LIMITS.warnings).map(([key]) => {
      if (Object.hasOwn(identity, key))
        return {
          code: 'ignored_field',
          message: `${key} was ignored: the id in the path decides`,
          path: `/${key}`,
        }
      const meant = closestWord(key, known)
      const shown = key.slice(0, 64).toWellFormed()
      return {
        code: 'unknown_field',
        message: `${shown} is not a known field and was ignored${meant === undefined ? '; put it into properties' : `; did you mean ${meant}?`}`,
        path: `/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      }
    }),
  }
}
