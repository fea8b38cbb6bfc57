import { z } from 'zod'

const count = z.int().nonnegative()

const groupSchema = z.object({
  id: z.string().meta({ description: '`value:VALUE`, `none` or `others`.' }),
  kind: z.enum(['value', 'none', 'others']).meta({
    description:
      '`none` has the nodes without a value, and `others` the groups that the answer does not list.',
  }),
  value: z.string().optional().meta({ description: 'What its nodes have in common, up to 256 characters.' }),
  groups: count.optional().meta({ description: 'How many groups `others` stands for.' }),
  nodes: count,
  unresolved: count.meta({ description: 'Nodes that others refer to, and that nothing defines.' }),
  health: z
    .object({ up: count, down: count, expired: count, unknown: count })
    .meta({ description: 'Its registered services. The worst of several instances counts.' }),
  edges: count.meta({ description: 'Edges between its own nodes.' }),
})

const groupEdgeSchema = z.object({
  source: z.string().meta({ description: 'Id of a group.' }),
  target: z.string(),
  edges: count,
  types: z.record(z.string(), count).meta({ description: 'How many edges there are of each type.' }),
})

/** The answer of `/knowledge-graph/overview`. */
export const overviewSchema = z
  .object({
    success: z.literal(true),
    revision: z.int().meta({ description: 'The revision that the answer shows.' }),
    groups: z.array(groupSchema),
    total: count.meta({ description: 'How many values there are, listed or not.' }),
    edges: z.array(groupEdgeSchema).meta({ description: 'At most 10,000, those with the most edges first.' }),
    edgesTotal: count.meta({ description: 'How many pairs of groups have edges.' }),
    nodes: count.meta({ description: 'How many nodes were grouped.' }),
    complete: z.boolean().meta({ description: 'Whether the answer lists every group and every pair.' }),
    truncated: z
      .enum(['limit', 'budget', 'size'])
      .optional()
      .meta({ description: 'Why something is missing.' }),
  })
  .meta({
    id: 'GraphOverview',
    example: {
      success: true,
      revision: 41,
      groups: [
        {
          ...{ id: 'value:shop', kind: 'value', value: 'shop', nodes: 2, unresolved: 0 },
          ...{ health: { up: 2, down: 0, expired: 0, unknown: 0 }, edges: 1 },
        },
        {
          id: 'none',
          kind: 'none',
          nodes: 1,
          unresolved: 1,
          health: { up: 0, down: 0, expired: 0, unknown: 0 },
          edges: 0,
        },
      ],
      total: 1,
      edges: [{ source: 'value:shop', target: 'none', edges: 2, types: { depends_on: 2 } }],
      edgesTotal: 1,
      nodes: 3,
      complete: true,
    },
  })
