import { z } from 'zod'
import { unprovenActor } from './schemas.ts'

const success = z.literal(true)
const revision = z.int().meta({ description: 'The revision that the answer shows.' })
const id = z.string()
const data = z.looseObject({})

const name = {
  id,
  label: z.string(),
  type: z.string(),
  namespace: z
    .string()
    .meta({ description: 'The namespace of the node. It is a part of the id, unless it is `default`.' }),
}
export const nodeSchema = z.object({ ...name, data }).meta({ id: 'GraphNode' })
export const edgeSchema = z
  .object({
    id,
    source: id,
    target: id,
    type: z.string(),
    origin: z.enum(['declared', 'asserted', 'observed']),
    revision: z
      .int()
      .meta({ description: 'The oldest among the present revisions of the records that declare it.' }),
    data,
  })
  .meta({ id: 'GraphEdge' })

/** Members that say whether an answer is complete. */
const completeness = {
  complete: z.boolean().meta({ description: 'Whether the answer lists everything.' }),
  truncated: z.enum(['limit', 'budget', 'size']).optional().meta({ description: 'Why items are missing.' }),
}
const total = z
  .int()
  .meta({ description: 'The number of all items, including those that the answer does not list.' })
const answer = { success, revision, ...completeness }

export const graphSchema = z
  .object({
    success,
    knowledgeGraph: z.object({
      metadata: z.looseObject({
        totalServices: z.int(),
        activeServices: z.int(),
        nodes: z.int(),
        edges: z.int(),
        revision,
        lastUpdated: z.string(),
        ...completeness,
      }),
      nodes: z.array(nodeSchema),
      edges: z.array(edgeSchema),
    }),
  })
  .meta({ id: 'KnowledgeGraph' })

export const nodeAnswerSchema = z.object({ success, revision, node: nodeSchema }).meta({ id: 'NodeAnswer' })
export const edgeAnswerSchema = z.object({ success, revision, edge: edgeSchema }).meta({ id: 'EdgeAnswer' })

const reached = z.object({
  ...name,
  distance: z.int().meta({ description: 'The number of steps from the node in the question.' }),
  via: z
    .array(id)
    .meta({ description: 'The nodes on the path, beginning next to the node in the question.' }),
})
export const reachSchema = z
  .object({ ...answer, of: id, nodes: z.array(reached), total })
  .meta({ id: 'ReachAnswer' })

export const neighborsSchema = z
  .object({ ...answer, of: id, nodes: z.array(z.object(name)), edges: z.array(edgeSchema), total })
  .meta({ id: 'NeighborsAnswer' })

export const pathsSchema = z
  .object({ ...answer, from: id, to: id, paths: z.array(z.object({ length: z.int(), nodes: z.array(id) })) })
  .meta({ id: 'PathsAnswer' })

export const cyclesSchema = z
  .object({
    ...answer,
    cycles: z.array(
      z.object({
        size: z.int(),
        nodes: z.array(id),
        example: z.array(id).meta({
          description:
            'One of the shortest cycles: each node needs the next one, and the last needs the first.',
        }),
      }),
    ),
    total,
  })
  .meta({ id: 'CyclesAnswer' })

export const criticalSchema = z
  .object({
    ...answer,
    articulationPoints: z.array(z.object({ ...name, cutsOff: z.int() })),
    articulationPointsTotal: total,
    mostDependedOn: z.array(z.object({ ...name, direct: z.int(), dependents: z.int() })),
  })
  .meta({ id: 'CriticalAnswer' })

export const unresolvedSchema = z
  .object({
    ...answer,
    nodes: z.array(
      z.object({
        ...name,
        referencedBy: z.array(id),
        references: z.int(),
        elsewhere: z
          .array(z.string())
          .optional()
          .meta({ description: 'Other namespaces that have a service of this name, at most 10.' }),
      }),
    ),
    total,
  })
  .meta({ id: 'UnresolvedAnswer' })

export const orphansSchema = z
  .object({ ...answer, nodes: z.array(z.object(name)), total })
  .meta({ id: 'OrphansAnswer' })

const difference = <T extends z.ZodType>(shown: T) =>
  z.object({
    change: z.enum(['added', 'removed', 'changed']),
    id,
    before: shown.optional(),
    after: shown.optional(),
    revisions: z
      .array(z.int())
      .meta({ description: 'The commits that did it, oldest first; at most the last 20.' }),
  })
export const diffSchema = z
  .object({
    success,
    from: z.int(),
    to: z.int(),
    nodes: z.array(difference(nodeSchema)),
    edges: z.array(difference(edgeSchema)),
    nodesTotal: total,
    edgesTotal: total,
    commits: z.array(
      z.object({
        revision: z.int(),
        at: z.string(),
        actor: z.string(),
        unproven: unprovenActor,
        commitId: z.string(),
      }),
    ),
    ...completeness,
  })
  .meta({ id: 'DiffAnswer' })

const judgedRanges = z.array(
  z.object({
    consumer: id,
    dependency: id,
    range: z.string(),
    versions: z.array(z.string()).meta({ description: 'At most the first 100, sorted as text.' }),
    versionsTotal: z.int(),
  }),
)

export const simulateSchema = z
  .object({
    ...answer,
    safe: z.boolean().meta({ description: 'Whether nobody would be worse off.' }),
    lostProviders: z.array(z.object(name)),
    brokenConsumers: z.array(z.object({ ...name, loses: id, type: z.string() })),
    affected: z.int(),
    violatedRanges: judgedRanges,
    unjudged: z.int().meta({
      description:
        'How many ranges about changed services cannot be judged, because a version or a range cannot be compared (`latest`, a hash, a date). They do not make `safe` false.',
    }),
    unjudgedRanges: judgedRanges,
    newCycles: z.array(z.array(id)),
    unknownDependencies: z.array(z.object({ consumer: id, dependency: id })),
  })
  .meta({ id: 'SimulateAnswer' })

export const rebuildSchema = z
  .object({
    success,
    revision,
    nodes: z.int(),
    edges: z.int(),
    differencesTotal: z.int(),
    differences: z.array(
      z.object({ what: z.enum(['node', 'edge']), id, problem: z.enum(['missing', 'extra', 'different']) }),
    ),
    durationMs: z.number(),
  })
  .meta({ id: 'RebuildAnswer' })

export const assertAnswerSchema = z
  .object({
    success,
    id,
    created: z.boolean(),
    changed: z.boolean(),
    revision: z.int(),
    replayed: z.boolean().optional(),
    warnings: z.array(z.object({ code: z.string(), message: z.string(), path: z.string().optional() })),
  })
  .meta({ id: 'AssertAnswer' })

export const assertionHistorySchema = z
  .object({
    success,
    id,
    entries: z.array(
      z.object({
        revision: z.int(),
        at: z.string(),
        actor: z.string(),
        unproven: unprovenActor,
        commitId: z.string(),
        action: z.enum(['asserted', 'changed', 'retracted']),
        label: z.string().optional(),
        properties: data.optional(),
      }),
    ),
    next: z.int().optional().meta({ description: 'Pass it as `before` for the next page.' }),
    complete: z.boolean(),
    revision,
  })
  .meta({ id: 'AssertionHistory' })

export const retractAnswerSchema = z
  .object({ success, id, revision: z.int(), replayed: z.boolean().optional() })
  .meta({ id: 'RetractAnswer' })
