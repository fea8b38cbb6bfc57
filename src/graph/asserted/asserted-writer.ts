import { CoordinatorError, type ErrorCode } from '../../errors.ts'
import type { Live } from '../../live/live.ts'
import type { View } from '../../live/view/view.ts'
import type { ChangeResult, Plan, PlannedChange } from '../../live/writing/change.ts'
import { identifyCommit } from '../../live/writing/idempotency.ts'
import { mustExist, mustHaveExisted } from '../../live/writing/preconditions.ts'
import { RecordWriter } from '../../live/writing/record-writer.ts'
import { requireScope } from '../../live/writing/required-scope.ts'
import { BY_PROGRAM, type WriteContext } from '../../live/writing/write-context.ts'
import { readBody } from '../../records/body/read-body.ts'
import { canonicalJson, type JsonObject, type JsonValue } from '../../records/canonical-json.ts'
import { edgeId, nodeTypeOf, normalEdge, normalNodeId, recordIdOf } from '../../records/graph/graph-id.ts'
import {
  type AssertionBody,
  edgeBodySchema,
  nodeBodySchema,
  parseAssertion,
  patchSchema,
} from '../../records/graph/graph-schema.ts'
import type { Revision } from '../../records/record.ts'
import type { Warning } from '../../records/warning.ts'
import { quoted } from '../../text/quoted.ts'
import { type GraphProjection, graphProjection } from '../derive/graph-projection.ts'
import { dataOf } from '../model/lenient-json.ts'
import { elsewhere } from '../model/resolve-node.ts'
import { mergePatch } from './merge-patch.ts'

export interface AssertAnswer {
  readonly id: string
  /** Whether nothing was asserted about it before. */
  readonly created: boolean
  /** Whether anything was stored. */
  readonly changed: boolean
  /** The commit that wrote the present assertion. */
  readonly revision: Revision
  /** The history to which the revision belongs. */
  readonly lineage: string
  /** Whether this is the first result of a request that was sent before. */
  readonly replayed: boolean
  readonly warnings: readonly Warning[]
}

export interface RetractAnswer {
  readonly id: string
  readonly revision: Revision
  readonly replayed: boolean
}

/** The subject of an assertion. Parts of the id may be decoded, as in the path of a URL. */
export interface About {
  readonly kind: 'node' | 'edge'
  readonly id: string
}

/** A subject whose id is in its only valid form. */
interface Subject extends About {
  /** Members of the record besides those that the client sent. */
  readonly identity: JsonObject
  /** The nodes at the ends of an edge. */
  readonly ends: readonly string[]
}

/**
 * Writes what people and programs assert: nodes and edges with properties, stored like services, with the same
 * preconditions, and repeatable with an idempotency key. Assertions about a derived node add to it; a retraction leaves it.
 *
 * Every method throws COORD_SCOPE_MISSING, COORD_NODE_ID_INVALID or COORD_EDGE_ID_INVALID, COORD_EDGE_DERIVED, COORD_PRECONDITION_FAILED,
 * COORD_IDEMPOTENCY_REUSED, COORD_COMMIT_CONTENDED, and what `Live.commit` throws.
 */
export class AssertedWriter {
  readonly #writer: RecordWriter

  constructor(live: Live) {
    this.#writer = new RecordWriter(live)
  }

  /** @throws COORD_BODY_*, COORD_FIELD_* */
  async put(about: About, body: unknown, context: WriteContext = BY_PROGRAM): Promise<AssertAnswer> {
    requireScope(context.principal, 'graph')
    const subject = subjectOf(about)
    const asserted = parseAssertion(schemaOf(subject), body, namesOf(subject))
    return this.#change('PUT', { subject, context, body }, () => plannedPut(subject, asserted, context))
  }

  /** Merges a patch (RFC 7396) into the assertion. @throws COORD_NODE_NOT_FOUND, COORD_EDGE_NOT_FOUND */
  async patch(about: About, patch: unknown, context: WriteContext = BY_PROGRAM): Promise<AssertAnswer> {
    requireScope(context.principal, 'graph')
    const subject = subjectOf(about)
    readBody(patchSchema, patch)
    return this.#change('PATCH', { subject, context, body: patch }, (state) => {
      const stored = state.read()
      if (stored === undefined) {
        // Whether others have registered it is not for those who may not read: for them, only what is asserted exists.
        if (!seesOthers(context))
          return {
            op: 'refuse',
            why: () => notAsserted(subject),
            answer: assertAnswer(subject, [], context),
          }
        // Other records determine whether services or edges refer to the node.
        const graph = state.projection(graphProjection)
        if (graph === undefined || !isIn(graph, subject))
          return {
            op: 'refuse',
            why: () => notFound(subject, false),
            answer: assertAnswer(subject, [], context),
          }
      }
      const { label, properties } = stored === undefined ? {} : dataOf(stored)
      const now = {
        ...(label === undefined ? {} : { label }),
        ...(properties === undefined ? {} : { properties }),
      }
      const patched = mergePatch(now as JsonObject, patch as JsonValue)
      return plannedPut(subject, parseAssertion(schemaOf(subject), patched, namesOf(subject)), context)
    })
  }

  /** @throws COORD_NODE_NOT_FOUND, COORD_EDGE_NOT_FOUND if nothing is asserted, even if it is derived */
  async delete(about: About, context: WriteContext = BY_PROGRAM): Promise<RetractAnswer> {
    requireScope(context.principal, 'graph')
    const subject = subjectOf(about)
    return this.#change('DELETE', { subject, context }, () => ({
      op: 'delete',
      answer: ({ changed, revision, replayed }, view) => {
        if (changed) return { id: subject.id, revision, replayed }
        if (mustHaveExisted(context.precondition)) throw mustExist()
        throw seesOthers(context)
          ? notFound(subject, isIn(view.projection(graphProjection), subject))
          : notAsserted(subject)
      },
    }))
  }

  #change<T>(
    method: 'PUT' | 'PATCH' | 'DELETE',
    { subject, context, body }: { subject: Subject; context: WriteContext; body?: unknown },
    plan: Plan<T>,
  ): Promise<T> {
    const wish = { route: `${method} /knowledge-graph/${subject.kind}s/${subject.id}`, body }
    const request = { ...identifyCommit(context, wish), actor: context.actor }
    const key = { kind: subject.kind, id: recordIdOf(subject.id) }
    return this.#writer.change(key, { request, context }, plan)
  }
}

function plannedPut(
  subject: Subject,
  { body, warnings }: { readonly body: AssertionBody; readonly warnings: readonly Warning[] },
  context: WriteContext,
): PlannedChange<AssertAnswer> {
  const data = canonicalJson({ ...subject.identity, ...body })
  return { op: 'put', data, answer: assertAnswer(subject, warnings, context) }
}

/** Makes the answer from the result of the store. Its warnings are current, even if the rest is a first result. */
function assertAnswer(
  subject: Subject,
  warnings: readonly Warning[],
  context: WriteContext,
): PlannedChange<AssertAnswer>['answer'] {
  return ({ created, changed, revision, replayed }: ChangeResult, view: View) => ({
    id: subject.id,
    created,
    changed,
    revision,
    lineage: view.lineage,
    replayed,
    warnings: seesOthers(context) ? [...warnings, ...danglingEnds(subject, view)] : warnings,
  })
}

/** Whether answers may tell the writer what others have registered and asserted. */
function seesOthers({ principal }: WriteContext): boolean {
  return principal.grants.may('read')
}

/** Whether it is in the graph, asserted or derived. */
function isIn(graph: GraphProjection, { kind, id }: Subject): boolean {
  return (kind === 'node' ? graph.find(id) : graph.findEdgeById(id)) !== -1
}

function schemaOf({ kind }: Subject): typeof nodeBodySchema | typeof edgeBodySchema {
  return kind === 'node' ? nodeBodySchema : edgeBodySchema
}

/** @throws COORD_NODE_ID_INVALID, COORD_EDGE_ID_INVALID, COORD_EDGE_DERIVED */
function subjectOf({ kind, id: text }: About): Subject {
  if (kind === 'node') {
    const id = normalNodeId(text)
    if (id === undefined) throw refused('COORD_NODE_ID_INVALID', `${quoted(text)} is not the id of a node.`)
    return { kind, id, identity: { id }, ends: [] }
  }
  const edge = normalEdge(text)
  if (edge === undefined) throw refused('COORD_EDGE_ID_INVALID', `${quoted(text)} is not the id of an edge.`)
  const { source, type, target, origin } = edge
  if (origin === 'declared')
    throw refused('COORD_EDGE_DERIVED', `${quoted(text)} comes from what services declare.`)
  const ends = [...new Set([source, target])]
  return { kind, id: edgeId(edge), identity: { source, type, target, origin }, ends }
}

function refused(code: ErrorCode, detail: string): CoordinatorError {
  return new CoordinatorError(code, { detail, outcome: 'not_written' })
}

/** All members that repeat the id. A body may contain them. */
function namesOf({ kind, id, identity }: Subject): JsonObject {
  return { id, ...identity, ...(kind === 'node' ? { type: nodeTypeOf(id) } : {}) }
}

/** Warns about ends of an edge that do not exist. That is allowed, but the id may have a typing error. */
function danglingEnds({ ends }: Subject, view: View): readonly Warning[] {
  const graph = view.projection(graphProjection)
  return ends
    .filter((id) => !graph.isResolved(graph.find(id)))
    .map((id) => ({
      code: 'unresolved_node',
      message: `Nobody has registered or asserted ${quoted(id)}: check the id, or assert the node.${
        nodeTypeOf(id) === 'service' ? elsewhere(graph, id) : ''
      }`,
    }))
}

function notAsserted({ kind, id }: Subject): CoordinatorError {
  return refused(notFoundCode(kind), `Nothing is asserted about ${quoted(id)}.`)
}

function notFound({ kind, id }: Subject, derived: boolean): CoordinatorError {
  return refused(
    notFoundCode(kind),
    derived
      ? `Nothing is asserted about ${quoted(id)}: it is there because services or edges name it, and goes with them.`
      : `The graph has no ${kind} ${quoted(id)}.`,
  )
}

function notFoundCode(kind: About['kind']): ErrorCode {
  return kind === 'node' ? 'COORD_NODE_NOT_FOUND' : 'COORD_EDGE_NOT_FOUND'
}
