import type { FastifyPluginCallback } from 'fastify'
import { z } from 'zod'
import { DEFAULT_LIMIT } from '../../graph/questions/answer.ts'
import type { Question } from '../../graph/questions/answer-question.ts'
import { DEFAULT_CRITICAL_LIMIT, MAX_CRITICAL_LIMIT } from '../../graph/questions/critical.ts'
import { DEFAULT_CYCLES_LIMIT } from '../../graph/questions/cycles.ts'
import { recordIdOf } from '../../records/graph/graph-id.ts'
import type { Revision } from '../../records/record.ts'
import {
  assertionHistorySchema,
  criticalSchema,
  cyclesSchema,
  diffSchema,
  edgeAnswerSchema,
  neighborsSchema,
  nodeAnswerSchema,
  orphansSchema,
  pathsSchema,
  reachSchema,
  unresolvedSchema,
} from '../answering/graph-schemas.ts'
import { recordEtag } from '../reading/etag.ts'
import { asOfQuery, freshnessQuery } from '../reading/freshness.ts'
import {
  depthQuery,
  directionQuery,
  limitQuery,
  namespaceOfNames,
  namespaceOfPart,
  typeQuery,
  typesOf,
} from '../reading/graph-query.ts'
import { json, type Operation } from '../reading/operation.ts'
import { pageOfHistory } from '../reading/query-fields.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { pathParameter, type ReadAnswer, readRoute } from '../routing/route.ts'
import { fittingJson } from '../sending/fitting-json.ts'

const node = z
  .string()
  .min(1)
  .meta({ description: 'The id of a node, or the name of a service.', example: 'flagd' })
const moment = { ...asOfQuery, ...freshnessQuery }
/** Parameters of questions about named nodes, and about the whole graph. */
const named = { ...typeQuery, namespace: namespaceOfNames, ...moment }
const whole = { ...typeQuery, namespace: namespaceOfPart, ...moment }

/** Parameters of each question, in addition to the shared ones. */
const questions = {
  impact: z.object({ of: node, depth: depthQuery, limit: limitQuery(DEFAULT_LIMIT), ...named }),
  dependencies: z.object({ of: node, depth: depthQuery, limit: limitQuery(DEFAULT_LIMIT), ...named }),
  neighbors: z.object({ of: node, direction: directionQuery, limit: limitQuery(DEFAULT_LIMIT), ...named }),
  paths: z.object({ from: node, to: node, depth: depthQuery, limit: limitQuery(10), ...named }),
  cycles: z.object({ limit: limitQuery(DEFAULT_CYCLES_LIMIT, 1_000), ...whole }),
  critical: z.object({ limit: limitQuery(DEFAULT_CRITICAL_LIMIT, MAX_CRITICAL_LIMIT), ...whole }),
  unresolved: z.object({ limit: limitQuery(DEFAULT_LIMIT), ...whole }),
  orphans: z.object({ limit: limitQuery(DEFAULT_LIMIT), ...whole }),
} as const

const nodeParameters = z.object({ namespace: namespaceOfNames, ...moment })
const edgeParameters = z.object(moment)
const momentText = asOfQuery.asOf.unwrap()
const diffParameters = z.object({
  from: momentText.meta({ description: 'The earlier moment: a revision or a time.', example: '42' }),
  to: momentText.optional().meta({ description: 'The later moment. The default is now.' }),
  limit: limitQuery(DEFAULT_LIMIT),
  namespace: namespaceOfPart,
  ...freshnessQuery,
})

type Asked = keyof typeof questions

/** The most times that a node or an edge is read again because the view changed in the meantime. */
const MOMENTS_TRIED = 10

/** Questions about the graph: what needs what, and what changed. */
export const graphQuestionRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, graph } = context

  const asked = (ask: Asked, hidden: boolean) =>
    readRoute(
      context,
      { ...operations[ask], query: questions[ask] as (typeof questions)['impact'], hidden },
      async (
        _,
        { asOf, minRevision, consistency, type, nodeType, edgeType, ...wanted },
      ): Promise<ReadAnswer> => {
        const question = { ask, ...wanted, ...typesOf({ type, nodeType, edgeType }) } as Question
        const found = asOf === undefined ? await graph.ask(question) : await graph.askPast(asOf, question)
        return { body: await fittingJson(found), revision: found.revision }
      },
    )

  const one = (ask: 'node' | 'edge', hidden: boolean) =>
    readRoute(
      context,
      { ...readingOf(ask), hidden },
      async (request, { asOf, namespace }): Promise<ReadAnswer> => {
        const question = { ask, id: pathParameter(request, 'id'), namespace } as const
        const found = asOf === undefined ? await askNow(question) : await graph.askPast(asOf, question)
        const id = 'node' in found ? found.node.id : found.edge.id
        const { revision } = found
        const headers = asOf === undefined ? assertionEtag(ask, id, revision) : []
        return { body: JSON.stringify({ success: true, ...found }), revision, headers }
      },
    )

  const history = (kind: 'node' | 'edge', hidden: boolean) =>
    readRoute(
      context,
      { ...assertionHistory(reading[kind]), hidden },
      async (request, { before, limit }): Promise<ReadAnswer> => {
        const page = await graph.history({ kind, id: pathParameter(request, 'id') }, { before, limit })
        return { body: JSON.stringify({ success: true, ...page }), revision: page.revision }
      },
    )

  const diff = (hidden: boolean) =>
    readRoute(context, { ...difference, hidden }, async (_, query): Promise<ReadAnswer> => {
      const { from, to = { revision: live.view.revision }, limit = DEFAULT_LIMIT, namespace } = query
      const found = await graph.diff({ from, to, limit, namespace })
      return { body: await fittingJson(found), revision: found.to }
    })

  /** The answer of the moment at which its ETag is made. Somebody may have written while it was awaited. */
  async function askNow(question: Extract<Question, { readonly ask: 'node' | 'edge' }>) {
    let found = await graph.ask(question)
    for (let again = 0; again < MOMENTS_TRIED && found.revision !== live.view.revision; again += 1)
      found = await graph.ask(question)
    return found
  }

  /** The ETag of the assertion, for `If-Match`. It does not allow a 304, because services change nodes and edges, too. */
  function assertionEtag(kind: 'node' | 'edge', id: string, shown: Revision): string[] {
    const { view } = live
    const record = view.get(kind, recordIdOf(id))
    // The ETag must not be newer than the answer: with it, a client would overwrite an assertion that it has not seen.
    return record === undefined || record.revision > shown
      ? []
      : ['ETag', recordEtag({ lineage: view.lineage, revision: record.revision })]
  }

  for (const [prefix, hidden] of [
    ['/knowledge-graph', false],
    ['/graph', true],
  ] as const) {
    for (const ask of Object.keys(questions) as Asked[]) app.get(`${prefix}/${ask}`, asked(ask, hidden))
    const kinds = ['node', 'edge'] as const
    for (const kind of kinds) app.get(`${prefix}/${kind}s/:id`, one(kind, hidden))
    for (const kind of kinds) app.get(`${prefix}/${kind}s/:id/history`, history(kind, hidden))
    app.get(`${prefix}/diff`, diff(hidden))
  }
  done()
}

function question(
  ask: Asked,
  words: { readonly summary: string; readonly description: string; readonly schema: z.ZodType },
): Operation {
  const { summary, description, schema } = words
  const names = ask === 'impact' || ask === 'dependencies' || ask === 'neighbors' || ask === 'paths'
  return {
    chapter: 'graph',
    scope: 'read',
    summary,
    description,
    state: true,
    errors: [...(names ? (['COORD_NODE_NOT_FOUND'] as const) : []), 'COORD_GRAPH_BUSY'],
    answers: {
      200: json('The answer, at one revision.', schema),
    },
  }
}

const operations: Readonly<Record<Asked, Operation>> = {
  impact: question('impact', {
    summary: 'Impact of the failure of a node',
    description:
      'Lists all nodes that need this node, directly or through other nodes, nearest first, with the path to each.',
    schema: reachSchema,
  }),
  dependencies: question('dependencies', {
    summary: 'Dependencies of a node',
    description:
      'Lists all nodes that this node needs, directly or through other nodes, nearest first, with the path to each.',
    schema: reachSchema,
  }),
  neighbors: question('neighbors', {
    summary: 'Neighbors of a node',
    description: 'Lists the nodes that share an edge with this node, and all data of those edges.',
    schema: neighborsSchema,
  }),
  paths: question('paths', {
    summary: 'Paths between two nodes',
    description:
      'Lists the dependency paths from `from` to `to`, shortest first. A path visits each node once at most.',
    schema: pathsSchema,
  }),
  cycles: question('cycles', {
    summary: 'Dependency cycles',
    description:
      'Lists the strongly connected components, largest first, each with one of its shortest cycles. For large graphs the answer may be a second old.',
    schema: cyclesSchema,
  }),
  critical: question('critical', {
    summary: 'Single points of failure',
    description:
      'Lists the articulation points of the graph, and the nodes that most other nodes need. For large graphs the answer may be a second old.',
    schema: criticalSchema,
  }),
  unresolved: question('unresolved', {
    summary: 'Dependencies that nobody has registered',
    description:
      'Lists services that are not registered, events that no service publishes, and ends of asserted edges that do not exist.',
    schema: unresolvedSchema,
  }),
  orphans: question('orphans', {
    summary: 'Nodes without any edge',
    description: 'No node needs them, and they need no node.',
    schema: orphansSchema,
  }),
}

const idParameter = {
  id: 'Id of the node, such as `service:flagd`. Encode its percent signs again.',
}

const readNode = {
  chapter: 'graph',
  scope: 'read',
  summary: 'One node',
  description:
    'Shows the node with its data. Asserted properties are in `data.properties`. `ETag` is the one of the assertion.',
  parameters: idParameter,
  query: nodeParameters,
  state: true,
  errors: ['COORD_NODE_NOT_FOUND', 'COORD_GRAPH_BUSY'],
  answers: { 200: json('The node.', nodeAnswerSchema) },
} as const satisfies Operation

const readEdge = {
  chapter: 'graph',
  scope: 'read',
  summary: 'One edge',
  description: 'The id of an edge is `source,type,target,origin`.',
  parameters: { id: 'Id of the edge, such as `service:cart,depends_on,service:flagd,declared`.' },
  query: edgeParameters,
  state: true,
  errors: ['COORD_EDGE_NOT_FOUND', 'COORD_GRAPH_BUSY'],
  answers: { 200: json('The edge.', edgeAnswerSchema) },
} as const satisfies Operation

const reading = { node: readNode, edge: readEdge }

/** An edge is never named by a plain name, and takes no namespace. */
function readingOf(ask: 'node' | 'edge') {
  return { ...reading[ask], query: reading[ask].query as typeof nodeParameters }
}

/** @param about the operation that reads the same node or edge */
function assertionHistory({ parameters, errors }: typeof readNode | typeof readEdge) {
  return {
    chapter: 'graph',
    scope: 'read',
    summary: 'History of assertions',
    description:
      'Lists the assertions about a node or an edge with their authors, newest first. It includes assertions that were taken back. Declarations of services are in the history of the service: `GET /services/:serviceId/history`.',
    parameters,
    query: z.object({ ...pageOfHistory, ...freshnessQuery }),
    state: true,
    errors: errors.filter((code) => code.endsWith('_NOT_FOUND')),
    answers: { 200: json('A page.', assertionHistorySchema) },
  } as const satisfies Operation
}

const difference = {
  chapter: 'graph',
  scope: 'read',
  summary: 'Differences between two moments',
  description: 'Lists the nodes and edges that were added, removed or changed, and the commits that did it.',
  query: diffParameters,
  state: true,
  errors: ['COORD_GRAPH_BUSY'],
  answers: { 200: json('The differences.', diffSchema) },
} as const satisfies Operation
