import type { FastifyInstance, FastifyPluginCallback, FastifyRequest } from 'fastify'
import type { AssertAnswer, RetractAnswer } from '../../graph/asserted/asserted-writer.ts'
import { simulationSchema } from '../../graph/simulate/simulation.ts'
import { edgeBodySchema, nodeBodySchema } from '../../records/graph/graph-schema.ts'
import type { StateAnswer } from '../answering/answers.ts'
import {
  assertAnswerSchema,
  rebuildSchema,
  retractAnswerSchema,
  simulateSchema,
} from '../answering/graph-schemas.ts'
import { recordEtag } from '../reading/etag.ts'
import { json, type Operation } from '../reading/operation.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { pathParameter, readRoute, writeRoute } from '../routing/route.ts'
import { fittingJson } from '../sending/fitting-json.ts'

/** Assertions about nodes and edges, simulations, and deriving the graph again. */
export const graphWriteRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { graph } = context
  const { asserted } = graph

  for (const [prefix, hidden] of [
    ['/knowledge-graph', false],
    ['/graph', true],
  ] as const) {
    for (const kind of ['node', 'edge'] as const) {
      const path = `${prefix}/${kind}s/:id`
      const about = (request: FastifyRequest) => ({ kind, id: pathParameter(request, 'id') })
      app.put(
        path,
        writeRoute(context, { ...putOperation(kind), hidden }, async (request, by) =>
          assertedAnswer(app, kind, await asserted.put(about(request), request.body, by)),
        ),
      )
      app.patch(
        path,
        writeRoute(context, { ...patchOperation(kind), hidden }, async (request, by) =>
          assertedAnswer(app, kind, await asserted.patch(about(request), request.body, by)),
        ),
      )
      app.delete(
        path,
        writeRoute(context, { ...deleteOperation(kind), hidden }, async (request, by) =>
          retractedAnswer(await asserted.delete(about(request), by)),
        ),
      )
    }
    app.post(
      `${prefix}/simulate`,
      readRoute(context, { ...simulateOperation, hidden }, async ({ body }) => {
        const answer = await graph.simulate(body)
        return { body: await fittingJson(answer), revision: answer.revision }
      }),
    )
    app.post(
      `${prefix}/rebuild`,
      readRoute(context, { ...rebuildOperation, hidden }, async () => {
        const answer = await graph.rebuild()
        return { body: JSON.stringify({ success: true, ...answer }), revision: answer.revision }
      }),
    )
  }
  done()
}

function assertedAnswer(
  { basePath }: FastifyInstance,
  kind: Kind,
  { lineage, replayed, ...members }: AssertAnswer,
): StateAnswer {
  const { id, created, revision } = members
  return {
    status: created ? 201 : 200,
    body: JSON.stringify({ success: true, ...members, ...(replayed ? { replayed } : {}) }),
    headers: [
      ...['Location', `${basePath}/knowledge-graph/${kind}s/${encodeURIComponent(id)}`],
      ...['ETag', recordEtag({ lineage, revision })],
    ],
  }
}

function retractedAnswer({ replayed, ...members }: RetractAnswer): StateAnswer {
  return { body: JSON.stringify({ success: true, ...members, ...(replayed ? { replayed } : {}) }) }
}

type Kind = 'node' | 'edge'

/** The differences between nodes and edges. */
const words = {
  node: {
    name: 'a node',
    id: 'Id of the node: `type:name`, such as `team:payments`. Encode its percent signs again.',
    put: 'Adds a node of any type, such as a team or a database. For a node that is derived from services it adds `properties` and a label. It replaces the earlier assertion.',
    remove: 'The node stays if services declare it, or if it has an edge.',
    body: {
      schema: nodeBodySchema,
      example: { label: 'Payments', properties: { slack: '#payments' } },
      required: true,
    },
    errors: ['COORD_NODE_ID_INVALID'],
    notFound: 'COORD_NODE_NOT_FOUND',
  },
  edge: {
    name: 'an edge',
    id: 'Id of the edge: `source,type,target`, such as `team:payments,owns,service:checkout`. Add `,observed` for an edge that was seen in traffic.',
    put: 'Adds an edge between two nodes. Nodes that do not exist are shown as unresolved. It replaces the earlier assertion.',
    remove: 'The edge stays if services declare it.',
    body: { schema: edgeBodySchema, example: { properties: { since: '2026-01-31' } }, required: true },
    errors: ['COORD_EDGE_ID_INVALID', 'COORD_EDGE_DERIVED'],
    notFound: 'COORD_EDGE_NOT_FOUND',
  },
} as const

function putOperation(kind: Kind) {
  const { name, id, put, body, errors } = words[kind]
  return {
    chapter: 'graph',
    scope: 'graph',
    summary: `Assert ${name}`,
    description: put,
    parameters: { id },
    body,
    writes: true,
    conditional: true,
    state: true,
    errors,
    answers: {
      200: json('There was an earlier assertion.', assertAnswerSchema),
      201: json('The assertion is new. `Location` is its path.', assertAnswerSchema),
    },
  } as const satisfies Operation
}

function patchOperation(kind: Kind): Operation {
  const { name, errors, notFound } = words[kind]
  return {
    ...putOperation(kind),
    summary: `Change the assertion about ${name}`,
    description:
      'A JSON merge patch (RFC 7396), as `application/merge-patch+json` or `application/json`: members replace existing ones, and `null` removes one.',
    errors: [...errors, notFound],
  }
}

function deleteOperation(kind: Kind): Operation {
  const { name, remove, errors, notFound } = words[kind]
  const { body: _, ...put } = putOperation(kind)
  return {
    ...put,
    summary: `Take back the assertion about ${name}`,
    description: remove,
    errors: [...errors, notFound],
    answers: { 200: json('The assertion is taken back.', retractAnswerSchema) },
  }
}

const simulateOperation: Operation = {
  chapter: 'graph',
  scope: 'read',
  summary: 'Simulate a change',
  description:
    'Adds or removes services, or changes their versions, without storing anything. Lists the services that lose a dependency, the version ranges that are violated, and the new cycles.',
  body: {
    schema: simulationSchema,
    example: { remove: ['flagd'], changeVersion: [{ serviceName: 'cart', version: '4.0.0' }] },
    required: true,
  },
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND', 'COORD_GRAPH_BUSY'],
  answers: { 200: json('The consequences.', simulateSchema) },
}

const rebuildOperation: Operation = {
  chapter: 'graph',
  scope: 'admin',
  summary: 'Derive the graph again, and compare',
  description:
    'The coordinator updates the graph when records change. This request derives a second graph from all records and lists the differences between the two. There must be none.',
  state: true,
  answers: { 200: json('The differences.', rebuildSchema) },
}
