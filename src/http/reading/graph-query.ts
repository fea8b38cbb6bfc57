import { z } from 'zod'
import type { Direction } from '../../graph/analysis/search.ts'
import { MAX_LIMIT } from '../../graph/questions/answer.ts'
import { EDGE_ORIGINS } from '../../records/graph/graph-id.ts'
import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { namespaceParameter, oneOf, several, wholeNumber } from './query-fields.ts'

/** More steps than any answer needs. A chain that long would not fit into an answer. */
const MAX_DEPTH = 1_000

/** How many items an answer may list. */
export function limitQuery(fallback: number, max: number = MAX_LIMIT) {
  return wholeNumber(1, max).meta({
    description: 'The largest number of items in the answer.',
    default: fallback,
  })
}

export const depthQuery = wholeNumber(0, MAX_DEPTH).meta({
  description:
    'The largest number of steps to follow. There is no limit by default, unless the description names one.',
})

export const directionQuery = z
  .enum(['out', 'in', 'both', 'needs', 'neededBy'] satisfies Direction[])
  .optional()
  .meta({
    description:
      '`out` and `in` follow edges from source to target, or from target to source. `needs` follows edges to the nodes that a node needs, `neededBy` to the nodes that need it.',
    default: 'both',
  })

/** The namespace of plain names in a question. */
export const namespaceOfNames = namespaceParameter.meta({
  description:
    'The namespace in which names of services are looked up. An id has its own namespace. The answer may have nodes of other namespaces.',
  default: DEFAULT_NAMESPACE,
})

/** The namespace to which a list, or the graph, is restricted. */
export const namespaceOfPart = namespaceParameter.meta({
  description:
    'Only nodes of this namespace, and the nodes at the far ends of their edges. The default is every node.',
})

/** Types of nodes and of edges, by which every question can be restricted. */
export const typeQuery = {
  type: several(
    'Types of nodes or of edges, such as `service` or `depends_on`. The name shows which of the two is meant.',
  ),
  nodeType: several('Lists only nodes of these types.'),
  edgeType: several('Follows only edges of these types.'),
}

/** The parameters of `typeQuery`, in the form that the graph takes. */
export function typesOf({ type, nodeType, edgeType }: z.output<z.ZodObject<typeof typeQuery>>) {
  return { types: type, nodeTypes: nodeType, edgeTypes: edgeType }
}

export const originQuery = several(
  'Only edges of these origins: `declared`, `asserted` or `observed`.',
  oneOf(EDGE_ORIGINS),
)
export const tagQuery = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat())
  .optional()
  .meta({ description: 'Only services with this tag. If repeated, a service must have all of them.' })
