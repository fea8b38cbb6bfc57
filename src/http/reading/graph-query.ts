import { z } from 'zod'
import type { Direction } from '../../graph/analysis/search.ts'
import { MAX_LIMIT } from '../../graph/questions/answer.ts'
import { EDGE_ORIGINS } from '../../records/graph/graph-id.ts'

/** More steps than any answer needs; a chain that long would not fit into one. */
export const MAX_DEPTH = 1_000

/** @returns a reader of text, which the reference shows as the number that it is */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)
    .optional()
    .meta({ type: 'integer', minimum: min, maximum: max })
}

/** How many items an answer may list. */
export function limitQuery(fallback: number, max: number = MAX_LIMIT) {
  return wholeNumber(1, max).meta({ description: 'How many items the answer lists.', default: fallback })
}

export const depthQuery = wholeNumber(0, MAX_DEPTH).meta({
  description: 'How many steps to go. Without it there is no bound, unless the question says another.',
})

export const directionQuery = z
  .enum(['out', 'in', 'both', 'needs', 'neededBy'] satisfies Direction[])
  .optional()
  .meta({
    description:
      '`out`, `in`: along the arrows as they are shown, or against them. `needs`, `neededBy`: to what a node cannot do without, or to what cannot do without it.',
    default: 'both',
  })

/**
 * A parameter that may be repeated, or hold several values with commas between them.
 *
 * @param among the values that there are. @default any
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
    .meta({ description: `${description} Repeated or separated by commas: any of them.` })
}

/** Types of nodes and of edges, by which every question can be narrowed. */
export const typeQuery = {
  type: several(
    'Types of nodes or of edges; which is meant follows from the name, such as `service` or `depends_on`.',
  ),
  nodeType: several('Only nodes of these types are listed.'),
  edgeType: several('Only edges of these types count.'),
}

export const originQuery = several('Only edges that were `declared`, `asserted` or `observed`.', EDGE_ORIGINS)
export const tagQuery = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat())
  .optional()
  .meta({ description: 'Only services with this tag. Repeated: all of them.' })
