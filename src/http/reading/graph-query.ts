import { z } from 'zod'
import type { Direction } from '../../graph/analysis/search.ts'
import { MAX_LIMIT } from '../../graph/questions/answer.ts'
import { EDGE_ORIGINS } from '../../records/graph/graph-id.ts'
import { several, wholeNumber } from './query-fields.ts'

/** More steps than any answer needs; a chain that long would not fit into one. */
export const MAX_DEPTH = 1_000

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

/** Types of nodes and of edges, by which every question can be narrowed. */
export const typeQuery = {
  type: several(
    'Types of nodes or of edges; which is meant follows from the name, such as `service` or `depends_on`.',
  ),
  nodeType: several('Only nodes of these types are listed.'),
  edgeType: several('Only edges of these types count.'),
}

/** The same as the graph takes them. */
export function typesOf({ type, nodeType, edgeType }: z.output<z.ZodObject<typeof typeQuery>>) {
  return { types: type, nodeTypes: nodeType, edgeTypes: edgeType }
}

export const originQuery = several('Only edges that were `declared`, `asserted` or `observed`.', EDGE_ORIGINS)
export const tagQuery = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat())
  .optional()
  .meta({ description: 'Only services with this tag. Repeated: all of them.' })
