import type { z } from 'zod'
import type { overviewSchema } from '../../../../../src/http/answering/overview-schema.ts'
import { api } from '../../../api/client.ts'
import type { GraphAnswer, Reach } from '../../../api/types.ts'
import { type DrawnGraph, joined } from '../../../drawing/model/drawn-graph.ts'
import type { Follow } from '../../../drawing/model/neighbours.ts'
import { query } from '../../../state/location.ts'
import { serviceNode } from '../../../state/places.ts'
import { noHealth, readHealth } from './read-health.ts'
import { readOwners } from './read-owners.ts'
import { toDrawn } from './to-drawn.ts'

type Overview = z.infer<typeof overviewSchema>

/** At which moment, and in which namespace. */
export interface Moment {
  readonly asOf: string | undefined
  readonly namespace: string | undefined
}

/** A graph, or the part of it that was asked for. */
export interface ReadGraph {
  readonly graph: DrawnGraph
  /** How large the graph is at that moment, in that namespace. */
  readonly total: { readonly nodes: number }
  /** Whether `graph` is everything: then nothing needs to be asked for again. */
  readonly whole: boolean
  readonly revision: number
  /** When the newest change up to that moment was, ISO 8601; `undefined` if no part was read. */
  readonly at: string | undefined
}

/** Up to so many nodes, the whole graph is read: then every question about it is answered in the browser. */
const WHOLE_NODES = 600
/** The most nodes that are read around one node. */
const NEAR_NODES = 1_000
/** The largest `depth` that the API takes. */
const FARTHEST = 1_000
/** The most nodes around which a part is read at once. */
const MOST_CENTRES = 12

export interface PartWanted {
  /** Ids or names of services. */
  readonly centres: readonly string[]
  readonly follow: Follow
  /** How many steps to read; one more than is drawn, so that hidden neighbours can be counted. */
  readonly depth: number
}

/**
 * Reads the graph if it is small, and else the part around some nodes.
 *
 * @param wanted `undefined`: only a small graph is read, of a large one only its size
 * @param wholeNodes up to how many nodes a graph is small
 * @throws ApiError, such as COORD_NODE_NOT_FOUND
 */
export async function readGraph(
  moment: Moment,
  wanted: PartWanted | undefined,
  signal: AbortSignal,
  wholeNodes: number = WHOLE_NODES,
): Promise<ReadGraph> {
  const [size, healthOf, owners] = await Promise.all([
    readSize(moment, signal),
    moment.asOf === undefined ? readHealth(signal) : noHealth,
    query('colour') === 'owner' || query('groupBy') === 'owner' ? readOwners(moment, signal) : undefined,
  ])
  const facts = { total: { nodes: size.nodes }, revision: size.revision }
  if (size.nodes <= wholeNodes) {
    const { knowledgeGraph } = await api.get<GraphAnswer>('/knowledge-graph', {
      query: { ...moment },
      signal,
    })
    const { metadata, nodes, edges } = knowledgeGraph
    return { ...facts, ...momentOf(metadata), graph: toDrawn(nodes, edges, healthOf, owners), whole: true }
  }
  const parts: DrawnGraph[] = []
  let shown: { readonly revision: number; readonly at: string | undefined } = { ...facts, at: undefined }
  // One after another: the coordinator works on two moments of the past at a time, and others want them, too.
  for (const around of (wanted?.centres ?? []).slice(0, MOST_CENTRES)) {
    const direction = wanted?.follow ?? 'both'
    const { knowledgeGraph } = await api.get<GraphAnswer>('/knowledge-graph', {
      query: {
        ...moment,
        around,
        direction,
        depth: Math.min(FARTHEST, wanted?.depth ?? 1),
        limit: NEAR_NODES,
      },
      signal,
    })
    shown = momentOf(knowledgeGraph.metadata)
    parts.push(toDrawn(knowledgeGraph.nodes, knowledgeGraph.edges, healthOf, owners))
  }
  return { ...facts, ...shown, graph: joined(parts), whole: false }
}

function momentOf({ revision, lastUpdated }: GraphAnswer['knowledgeGraph']['metadata']) {
  return { revision, at: lastUpdated }
}

/** How large the graph is, without reading it. */
async function readSize(moment: Moment, signal: AbortSignal) {
  const answer = await api.get<Overview>('/knowledge-graph/overview', {
    query: { ...moment, groupBy: 'type' },
    signal,
  })
  return { nodes: answer.nodes, revision: answer.revision }
}

/**
 * The id of a node that somebody named: an id, or the name of a service.
 *
 * @throws ApiError COORD_NODE_NOT_FOUND, with the names that were perhaps meant
 */
export async function nodeIdOf(
  { graph }: Pick<ReadGraph, 'graph'>,
  given: string,
  moment: Moment,
  signal: AbortSignal,
): Promise<string> {
  const service = serviceNode(given, moment.namespace ?? 'default')
  const known = graph.nodes.find(({ id }) => id === given) ?? graph.nodes.find(({ id }) => id === service)
  if (known !== undefined) return known.id
  const { of } = await api.get<Reach>('/knowledge-graph/impact', {
    query: { of: given, limit: 1, ...moment },
    signal,
  })
  return of
}
