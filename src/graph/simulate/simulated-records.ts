import type { Records } from '../../live/view/record-table.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import { type EdgeIdentity, edgeId } from '../../records/graph/graph-id.ts'
import type { StoredRecord } from '../../records/record.ts'
import { deriveService } from '../derive/derive.ts'
import type { GraphProjection } from '../derive/graph-projection.ts'
import { dataOf } from '../model/lenient-json.ts'

/** One service after the change. `before` is absent if it is new, `after` if it would be removed. */
export interface SimulatedChange {
  readonly before?: StoredRecord | undefined
  readonly after?: StoredRecord | undefined
}

/** A record and what it declares, read once. */
export interface Version {
  readonly record: StoredRecord
  readonly data: JsonObject
  /** The node of its service. */
  readonly node: string
  readonly relations: readonly { readonly type: string; readonly target: string }[]
}

/** The number that a record has, or would have, with its versions. */
interface Change {
  readonly slot: number
  readonly before: Version | undefined
  readonly after: Version | undefined
}

/** Changes of services that are made in a graph, and taken back. */
export class SimulatedRecords {
  readonly changes: readonly Change[]
  readonly #graph: GraphProjection

  /** @param records the records of the graph */
  constructor(graph: GraphProjection, records: Records, changes: readonly SimulatedChange[]) {
    let next = records.numberEnd
    this.#graph = graph
    this.changes = changes.map(({ before, after }) => {
      const { kind, id } = (before ?? after) as StoredRecord
      const known = records.find(kind, id)
      return { slot: known === -1 ? next++ : known, before: versionOf(before), after: versionOf(after) }
    })
  }

  get versions(): readonly Version[] {
    return this.changes.flatMap(({ before, after }) => [before ?? [], after ?? []].flat())
  }

  /** Every node that the records refer to, before or after. */
  get touchedIds(): ReadonlySet<string> {
    return new Set(
      this.versions.flatMap(({ node, relations }) => [node, ...relations.map(({ target }) => target)]),
    )
  }

  /** The edges that the records would add to the present graph. */
  get newEdges(): readonly EdgeIdentity[] {
    const edges = new Map<string, EdgeIdentity>()
    for (const { after } of this.changes)
      for (const { type, target } of after?.relations ?? []) {
        const edge: EdgeIdentity = { source: after?.node as string, type, target, origin: 'declared' }
        if (this.#graph.findEdge(edge) === -1) edges.set(edgeId(edge), edge)
      }
    return [...edges.values()]
  }

  apply(): void {
    for (const { slot, before, after } of this.changes) this.#put(slot, after, before)
  }

  takeBack(): void {
    for (const { slot, before, after } of this.changes.toReversed()) this.#put(slot, before, after)
  }

  #put(slot: number, version: Version | undefined, present: Version | undefined): void {
    if (version !== undefined) this.#graph.put(slot, version.record, version.data)
    else if (present !== undefined) this.#graph.remove(slot)
  }
}

function versionOf(record: StoredRecord | undefined): Version | undefined {
  if (record === undefined) return undefined
  const data = dataOf(record)
  const relations: { type: string; target: string }[] = []
  const node = deriveService(data, (type, target) => relations.push({ type, target }))
  return { record, data, node, relations }
}
