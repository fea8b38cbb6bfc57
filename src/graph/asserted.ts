import { CoordinatorError } from '../errors.ts'
import type { CommitOutcome } from '../live/committer.ts'
import { identifyCommit } from '../live/idempotency.ts'
import type { Live } from '../live/live.ts'
import { expectationOf, mustExist } from '../live/preconditions.ts'
import { type PlanningState, probe, RecordWriter } from '../live/record-writer.ts'
import type { View } from '../live/view.ts'
import type { WriteContext } from '../live/write-context.ts'
import { canonicalJson, type JsonObject, type JsonValue } from '../records/canonical-json.ts'
import { checkJsonValue } from '../records/check-json.ts'
import {
  type EdgeIdentity,
  edgeId,
  nodeTypeOf,
  normalEdge,
  normalNodeId,
  recordIdOf,
} from '../records/graph-id.ts'
import {
  type AssertionBody,
  edgeBodySchema,
  nodeBodySchema,
  parseAssertion,
} from '../records/graph-schema.ts'
import type { RecordKey, Revision } from '../records/record.ts'
import type { Warning } from '../records/warning.ts'
import { graphProjection } from './graph-projection.ts'
import { mergePatch } from './merge-patch.ts'

export interface AssertAnswer {
  readonly id: string
  /** Whether nothing was asserted about it before. */
  readonly created: boolean
  /** Whether anything was stored. */
  readonly changed: boolean
  /** The commit that wrote the assertion as it is now. */
  readonly revision: Revision
  readonly etag: string
  /** Whether this is the first result of a request that was sent before. */
  readonly replayed: boolean
  readonly warnings: readonly Warning[]
}

export interface RetractAnswer {
  readonly id: string
  readonly revision: Revision
  readonly replayed: boolean
}

/** What an assertion is about. */
interface Subject {
  readonly kind: 'node' | 'edge'
  /** The id of the node or edge, in its only right form. */
  readonly id: string
  /** What its record holds besides what was asserted. */
  readonly identity: JsonObject
  /** The nodes at the ends of an edge. */
  readonly ends: readonly string[]
}

/**
 * Writes what people and programs assert: nodes and edges with properties, stored like services, with the same
 * preconditions, repeatable by `Idempotency-Key`. What is asserted about a derived node adds to it; retracting leaves it.
 *
 * Every method throws COORD_NODE_ID_INVALID or COORD_EDGE_ID_INVALID, COORD_EDGE_DERIVED, COORD_PRECONDITION_FAILED,
 * COORD_HEADER_INVALID, COORD_IDEMPOTENCY_REUSED, COORD_COMMIT_CONTENDED, and what `Live.commit` throws.
 */
export class AssertedWriter {
  readonly #writer: RecordWriter

  constructor(live: Live) {
    this.#writer = new RecordWriter(live)
  }

  /** @throws COORD_BODY_*, COORD_FIELD_* */
  async putNode(id: string, body: unknown, context: WriteContext): Promise<AssertAnswer> {
    return this.#put(nodeSubject(id), body, context)
  }

  async putEdge(id: string, body: unknown, context: WriteContext): Promise<AssertAnswer> {
    return this.#put(edgeSubject(id), body, context)
  }

  /** Merges a patch (RFC 7396) into what is asserted. @throws COORD_NODE_NOT_FOUND */
  async patchNode(id: string, patch: unknown, context: WriteContext): Promise<AssertAnswer> {
    return this.#patch(nodeSubject(id), patch, context)
  }

  async patchEdge(id: string, patch: unknown, context: WriteContext): Promise<AssertAnswer> {
    return this.#patch(edgeSubject(id), patch, context)
  }

  /** @throws COORD_NODE_NOT_FOUND where nothing is asserted, also of a derived node */
  async deleteNode(id: string, context: WriteContext): Promise<RetractAnswer> {
    return this.#delete(nodeSubject(id), context)
  }

  async deleteEdge(id: string, context: WriteContext): Promise<RetractAnswer> {
    return this.#delete(edgeSubject(id), context)
  }

  #put(subject: Subject, input: unknown, context: WriteContext): Promise<AssertAnswer> {
    const { body, warnings } = parseAssertion(schemaOf(subject), input, namesOf(subject))
    return this.#change('PUT', { subject, context, body: input }, (state) =>
      this.#planned(subject, { state, body, warnings }),
    )
  }

  #patch(subject: Subject, patch: unknown, context: WriteContext): Promise<AssertAnswer> {
    checkJsonValue(patch)
    return this.#change('PATCH', { subject, context, body: patch }, (state) => {
      const key = { kind: subject.kind, id: recordIdOf(subject.id) }
      const stored = state.view.get(key.kind, key.id)
      if (stored === undefined && !this.#isThere(subject, state)) {
        // The first time the store is asked: this view may be behind, and the commit may have been stored earlier.
        if (state.attempt > 1) throw notFound(subject, false)
        return { ...this.#planned(subject, { state, body: {}, warnings: [] }), ...asking(key) }
      }
      const { label, properties } = stored === undefined ? {} : (JSON.parse(stored.data) as JsonObject)
      const now = {
        ...(label === undefined ? {} : { label }),
        ...(properties === undefined ? {} : { properties }),
      }
      const { body, warnings } = parseAssertion(
        schemaOf(subject),
        mergePatch(now as JsonObject, patch as JsonValue),
        namesOf(subject),
      )
      return this.#planned(subject, {
        state,
        body,
        warnings,
        from: state.view.revisionOf(key.kind, key.id),
      })
    })
  }

  #delete(subject: Subject, context: WriteContext): Promise<RetractAnswer> {
    const id = recordIdOf(subject.id)
    return this.#change('DELETE', { subject, context }, ({ view, precondition, attempt }) => {
      const current = view.revisionOf(subject.kind, id)
      const { expect } = expectationOf(precondition, { current, attempt })
      const expected = precondition.kind === 'exists' || expect === undefined ? {} : { expect }
      return {
        writes: [{ op: 'delete' as const, kind: subject.kind, id, ...expected }],
        callersPrecondition: true,
        answer: (outcome, present) => {
          if (outcome.outcome === 'accepted')
            return { id: subject.id, revision: outcome.revision, replayed: outcome.replayed }
          if (precondition.kind === 'exists') throw mustExist()
          throw notFound(subject, this.#isThere(subject, { view: present }))
        },
      }
    })
  }

  #change<T>(
    method: 'PUT' | 'PATCH' | 'DELETE',
    { subject, context, body }: { subject: Subject; context: WriteContext; body?: unknown },
    plan: Parameters<typeof RecordWriter.prototype.change<T>>[2],
  ): Promise<T> {
    const wish = { route: `${method} /knowledge-graph/${subject.kind}s/${subject.id}`, body }
    const request = { ...identifyCommit(context.idempotencyKey, wish), actor: context.actor }
    return this.#writer.change(`${subject.kind} ${subject.id}`, { request, context }, plan)
  }

  /** @param from the revision that `body` was computed from; absent where it does not depend on what is stored */
  #planned(
    subject: Subject,
    {
      state,
      body,
      warnings,
      from,
    }: { state: PlanningState; body: AssertionBody; warnings: readonly Warning[]; from?: Revision },
  ) {
    const id = recordIdOf(subject.id)
    // What a person made unfit to be served is mended by the next assertion.
    const current = state.view.revisionOf(subject.kind, id)
    const { expect, callers } = expectationOf(state.precondition, { ...state, current })
    const needed = expect ?? from
    return {
      writes: [
        {
          op: 'put' as const,
          kind: subject.kind,
          id,
          data: canonicalJson({ ...subject.identity, ...body }),
          ...(needed === undefined ? {} : { expect: needed }),
        },
      ],
      callersPrecondition: callers,
      answer: (
        outcome: Exclude<CommitOutcome, { outcome: 'conflict' | 'reused' }>,
        view: View,
      ): AssertAnswer => {
        const accepted = outcome.outcome === 'accepted'
        const revision = accepted ? outcome.revision : (outcome.revisions[0] as number)
        return {
          id: subject.id,
          created: accepted && outcome.previous[0] === 0,
          changed: accepted,
          revision,
          etag: `"${view.lineage.slice(0, 8)}-${revision}"`,
          replayed: outcome.replayed,
          warnings: [...warnings, ...danglingEnds(subject, view)],
        }
      },
    }
  }

  /** Whether the graph has it at all, asserted or derived. */
  #isThere({ kind, id }: Subject, { view }: Pick<PlanningState, 'view'>): boolean {
    const graph = view.projection(graphProjection)
    return (kind === 'node' ? graph.find(id) : graph.findEdge(id)) !== -1
  }
}

/** Writes nothing; see `probe`. */
function asking(key: RecordKey) {
  return { writes: [probe(key)], callersPrecondition: false }
}

function schemaOf({ kind }: Subject): typeof nodeBodySchema | typeof edgeBodySchema {
  return kind === 'node' ? nodeBodySchema : edgeBodySchema
}

function nodeSubject(text: string): Subject {
  const id = normalNodeId(text)
  if (id === undefined)
    throw new CoordinatorError('COORD_NODE_ID_INVALID', {
      detail: `${shown(text)} is not the id of a node.`,
      outcome: 'not_written',
    })
  return { kind: 'node', id, identity: { id }, ends: [] }
}

function edgeSubject(text: string): Subject {
  const edge: EdgeIdentity | undefined = normalEdge(text)
  if (edge === undefined)
    throw new CoordinatorError('COORD_EDGE_ID_INVALID', {
      detail: `${shown(text)} is not the id of an edge.`,
      outcome: 'not_written',
    })
  if (edge.origin === 'declared')
    throw new CoordinatorError('COORD_EDGE_DERIVED', {
      detail: `${shown(text)} comes from what services declare.`,
      outcome: 'not_written',
    })
  const { source, type, target, origin } = edge
  return {
    kind: 'edge',
    id: edgeId(edge),
    identity: { source, type, target, origin },
    ends: [...new Set([source, target])],
  }
}

/** Everything that the id says: a body may repeat it. */
function namesOf({ kind, id, identity }: Subject): JsonObject {
  return { id, ...identity, ...(kind === 'node' ? { type: nodeTypeOf(id) } : {}) }
}

/** An edge may point to what is not there yet; whoever made a slip of the pen should know. */
function danglingEnds({ ends }: Subject, view: View): readonly Warning[] {
  const graph = view.projection(graphProjection)
  return ends
    .filter((id) => !graph.isResolved(graph.find(id)))
    .map((id) => ({
      code: 'unresolved_node',
      message: `Nobody has registered or asserted ${shown(id)}: check the id, or assert the node.`,
    }))
}

function notFound({ kind, id }: Subject, derived: boolean): CoordinatorError {
  return new CoordinatorError(kind === 'node' ? 'COORD_NODE_NOT_FOUND' : 'COORD_EDGE_NOT_FOUND', {
    detail: derived
      ? `Nothing is asserted about ${shown(id)}: it is there because services or edges name it, and goes with them.`
      : `The graph has no ${kind} ${shown(id)}.`,
    outcome: 'not_written',
  })
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 512).toWellFormed())
}
