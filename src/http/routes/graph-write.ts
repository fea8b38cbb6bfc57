import type { FastifyPluginCallback } from 'fastify'
import type { AssertAnswer, RetractAnswer } from '../../graph/asserted/asserted.ts'
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
import type { Operation } from '../reading/operation.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { pathParameter, readRoute, writeRoute } from '../routing/route.ts'
import { fittingJson } from '../sending/fitting-json.ts'

/** What is asserted about nodes and edges; what would happen if; deriving anew. */
export const graphWriteRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { graph } = context
  const { asserted } = graph
  const methods = {
    node: { put: 'putNode', patch: 'patchNode', remove: 'deleteNode' },
    edge: { put: 'putEdge', patch: 'patchEdge', remove: 'deleteEdge' },
  } as const

  for (const [prefix, hidden] of [
    ['/knowledge-graph', false],
    ['/graph', true],
  ] as const) {
    for (const kind of ['node', 'edge'] as const) {
      const path = `${prefix}/${kind}s/:id`
      const { put, patch, remove } = methods[kind]
      app.put(
        path,
        writeRoute(context, { ...putOperation(kind), hidden }, async (request, by) =>
          assertedAnswer(kind, await asserted[put](pathParameter(request, 'id'), request.body, by)),
        ),
      )
      app.patch(
        path,
        writeRoute(context, { ...patchOperation(kind), hidden }, async (request, by) =>
          assertedAnswer(kind, await asserted[patch](pathParameter(request, 'id'), request.body, by)),
        ),
      )
      app.delete(
        path,
        writeRoute(context, { ...deleteOperation(kind), hidden }, async (request, by) =>
          retractedAnswer(await asserted[remove](pathParameter(request, 'id'), by)),
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

function assertedAnswer(kind: Kind, { lineage, replayed, ...members }: AssertAnswer): StateAnswer {
  const { id, created, revision } = members
  return {
    status: created ? 201 : 200,
    body: JSON.stringify({ success: true, ...members, ...(replayed ? { replayed } : {}) }),
    headers: [
      ...['Location', `/knowledge-graph/${kind}s/${encodeURIComponent(id)}`],
      ...['ETag', recordEtag({ lineage, revision })],
    ],
  }
}

function retractedAnswer({ replayed, ...members }: RetractAnswer): StateAnswer {
  return { body: JSON.stringify({ success: true, ...members, ...(replayed ? { replayed } : {}) }) }
}

type Kind = 'node' | 'edge'

const ids: Readonly<Record<Kind, string>> = {
  node: 'Id of the node: `type:name`, such as `team:payments`; its percent signs have to be encoded once more.',
  edge: 'Id of the edge: `source,type,target`, such as `team:payments,owns,service:checkout`; with `,observed` behind it for what was seen in traffic.',
}

function writing(kind: Kind, words: Pick<Operation, 'summary' | 'description' | 'answers'>): Operation {
  return {
    chapter: 'graph',
    ...words,
    parameters: { id: ids[kind] },
    writes: true,
    conditional: true,
    state: true,
    errors: [
      ...(kind === 'node'
        ? (['COORD_NODE_ID_INVALID'] as const)
        : (['COORD_EDGE_ID_INVALID', 'COORD_EDGE_DERIVED'] as const)),
      'COORD_IDEMPOTENCY_REUSED',
      'COORD_PRECONDITION_FAILED',
      'COORD_COMMIT_CONTENDED',
    ],
  }
}

function putOperation(kind: Kind): Operation {
  const node = kind === 'node'
  return {
    ...writing(kind, {
      summary: `Assert ${node ? 'a node' : 'an edge'}`,
      description: node
        ? 'A team, an owner, a database, anything. About a node that is derived from services it adds `properties` and a label. Replaces what was asserted before.'
        : 'Between any two nodes; they need not exist, and are unresolved then. Replaces what was asserted before.',
      answers: {
        200: { description: 'It was asserted before.', content: { 'application/json': assertAnswerSchema } },
        201: {
          description: 'It is new; `Location` is its path.',
          content: { 'application/json': assertAnswerSchema },
        },
      },
    }),
    body: {
      schema: node ? nodeBodySchema : edgeBodySchema,
      example: node
        ? { label: 'Payments', properties: { slack: '#payments' } }
        : { properties: { since: '2026-01-31' } },
      required: true,
    },
  }
}

function patchOperation(kind: Kind): Operation {
  const operation = putOperation(kind)
  return {
    ...operation,
    summary: `Change what is asserted about ${kind === 'node' ? 'a node' : 'an edge'}`,
    description: 'A JSON merge patch (RFC 7396): members replace those that are there, `null` removes one.',
    errors: [...(operation.errors ?? []), kind === 'node' ? 'COORD_NODE_NOT_FOUND' : 'COORD_EDGE_NOT_FOUND'],
  }
}

function deleteOperation(kind: Kind): Operation {
  const node = kind === 'node'
  const operation = writing(kind, {
    summary: `Take back what is asserted about ${node ? 'a node' : 'an edge'}`,
    description: node
      ? 'A node that services state, or that an edge touches, stays.'
      : 'What services declare stays.',
    answers: { 200: { description: 'Taken back.', content: { 'application/json': retractAnswerSchema } } },
  })
  return {
    ...operation,
    errors: [...(operation.errors ?? []), node ? 'COORD_NODE_NOT_FOUND' : 'COORD_EDGE_NOT_FOUND'],
  }
}

const simulateOperation: Operation = {
  chapter: 'graph',
  summary: 'What would happen if',
  description:
    'Services go, come, or change their version: who loses what it needs, whose version range is violated, which circles close. Nothing is stored.',
  body: {
    schema: simulationSchema,
    example: { remove: ['flagd'], changeVersion: [{ serviceName: 'cart', version: '4.0.0' }] },
    required: true,
  },
  state: true,
  errors: ['COORD_SERVICE_NOT_FOUND', 'COORD_GRAPH_BUSY'],
  answers: { 200: { description: 'The consequences.', content: { 'application/json': simulateSchema } } },
}

const rebuildOperation: Operation = {
  chapter: 'graph',
  summary: 'Derive the graph again, and compare',
  description:
    'The coordinator keeps the graph up to date as records change. This request derives a second graph from all records and names every difference between the two. There must be none.',
  state: true,
  answers: { 200: { description: 'What was found.', content: { 'application/json': rebuildSchema } } },
}
