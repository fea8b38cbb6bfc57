import { hash } from 'node:crypto'
import { CoordinatorError, type ErrorCode } from '../../errors.ts'
import { canonicalJson, isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { edgeId, normalEdge, normalNodeId, recordIdOf } from '../../records/graph/graph-id.ts'
import { edgeBodySchema, nodeBodySchema, parseAssertion } from '../../records/graph/graph-schema.ts'
import { serviceIdOf } from '../../records/service/identity.ts'
import { parseRegistration } from '../../records/service/parse-registration.ts'
import { SERVICE_KIND } from '../../records/service/service.ts'
import type { Item, ItemSubject } from './item.ts'
import { FileContent, keyOf } from './prune.ts'
import type { Verdict } from './send-batches.ts'
import type { SnapshotRecord } from './stored-records.ts'

/** A record as the coordinator would store it. */
interface Planned {
  readonly kind: string
  readonly recordId: string
  /** The id of the service, the node or the edge. */
  readonly id: string
  readonly data: JsonObject
}

interface Awaited {
  readonly item: Item
  readonly id: string
  readonly digest: string
  /** Whether a stored `migrationFile` would stay. */
  readonly keepsFile: boolean
  /** What a later item of the input would store under the same id. */
  latest: string
}

/** Finds out what an import would do, without writing: what the items say is compared with what a coordinator has. */
export class DryRun {
  readonly #awaited = new Map<string, Awaited>()
  readonly content = new FileContent()

  /** @returns the verdict of what can be judged at once: faults, and what comes again in the input */
  add(item: Item): Verdict | undefined {
    if (item.fault !== undefined) return { item, outcome: 'failed', ...item.fault }
    let planned: Planned
    try {
      planned =
        item.about === undefined ? plannedService(item.value) : plannedAssertion(item.about, item.value)
    } catch (thrown) {
      // JSON.parse reads JSON of any depth.
      if (thrown instanceof RangeError)
        return { item, outcome: 'failed', code: 'COORD_BODY_TOO_DEEP', reason: 'is nested too deeply' }
      if (!(thrown instanceof CoordinatorError)) throw thrown
      const { code, detail, errors } = thrown
      const texts = errors.map(({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`)
      return { item, outcome: 'failed', code, reason: texts.length === 0 ? detail : texts.join('; ') }
    }
    const { kind, recordId, id, data } = planned
    const key = keyOf(kind, recordId)
    const digest = digestOf(data)
    this.content.add(item, id)
    const earlier = this.#awaited.get(key)
    if (earlier === undefined) {
      const keepsFile = kind === SERVICE_KIND && data['migrationFile'] === undefined
      this.#awaited.set(key, { item, id, digest, keepsFile, latest: digest })
      return undefined
    }
    const outcome = earlier.latest === digest ? 'unchanged' : 'changed'
    earlier.latest = digest
    return { item, outcome, id, warnings: [] }
  }

  /** @returns the verdict of the item that would write this record */
  compare({ kind, id, data }: SnapshotRecord): Verdict | undefined {
    const key = keyOf(kind, id)
    const awaited = this.#awaited.get(key)
    if (awaited === undefined) return undefined
    this.#awaited.delete(key)
    const stored = isJsonObject(data) ? data : {}
    const { migrationFile: _, ...compared } = stored
    const isEqual = digestOf(awaited.keepsFile ? compared : stored) === awaited.digest
    return { item: awaited.item, outcome: isEqual ? 'unchanged' : 'changed', id: awaited.id, warnings: [] }
  }

  /** The verdicts of everything that was not compared: the coordinator does not have it. */
  *rest(): Generator<Verdict> {
    for (const { item, id } of this.#awaited.values()) yield { item, outcome: 'new', id, warnings: [] }
  }
}

function plannedService(value: unknown): Planned {
  const { registration } = parseRegistration(value)
  const id = serviceIdOf(registration)
  return { kind: SERVICE_KIND, recordId: id, id, data: registration as unknown as JsonObject }
}

function plannedAssertion({ kind, id: text }: ItemSubject, value: unknown): Planned {
  if (kind === 'node') {
    const id = normalNodeId(text)
    if (id === undefined) throw wrongId('COORD_NODE_ID_INVALID', `${text} is not the id of a node.`)
    const { body } = parseAssertion(nodeBodySchema, value, { id })
    return { kind, recordId: recordIdOf(id), id, data: { id, ...body } }
  }
  const edge = normalEdge(text)
  if (edge === undefined) throw wrongId('COORD_EDGE_ID_INVALID', `${text} is not the id of an edge.`)
  if (edge.origin === 'declared')
    throw wrongId('COORD_EDGE_DERIVED', `${text} comes from what services declare.`)
  const { body } = parseAssertion(edgeBodySchema, value, { ...edge })
  const id = edgeId(edge)
  return { kind, recordId: recordIdOf(id), id, data: { ...edge, ...body } }
}

function wrongId(code: ErrorCode, detail: string): CoordinatorError {
  return new CoordinatorError(code, { detail })
}

function digestOf(data: JsonObject): string {
  return hash('sha256', canonicalJson(data))
}
