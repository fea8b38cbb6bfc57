import type { ErrorCode } from '../../errors.ts'
import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { type EdgeIdentity, edgeId } from '../../records/graph/graph-id.ts'
import { ADDED_FIELDS, SERVICE_KIND } from '../../records/service/service.ts'
import { isSnapshotRecord, type SnapshotRecord } from './stored-records.ts'

/** The subject of an assertion. */
export interface ItemSubject {
  readonly kind: 'node' | 'edge'
  readonly id: string
}

/** One registration or assertion of the input, or the reason why there is none. */
export interface Item {
  /** The position of the item in the input, for people: `item 3`, `line 12`. */
  readonly place: string
  /** What an assertion is about. Absent for a registration. */
  readonly about?: ItemSubject
  /** The body of the request. */
  readonly value?: unknown
  /** Whether it was a stored record: then no namespace means `default`, and not that none was given. */
  readonly isStored?: boolean
  /** The reason why it cannot be sent. */
  readonly fault?: { readonly code: ErrorCode; readonly reason: string }
  /** The part of the input that has been read up to here, from 0 to 1; absent if it is not known. */
  readonly fraction?: number
}

/** Where an item stands in the input. */
export type Place = Pick<Item, 'place' | 'fraction'>

/** Makes an item of a value of the input: a record of an export, a service of an answer, or a registration. */
export function itemOf(value: unknown, place: Place): Item {
  if (isSnapshotRecord(value)) return itemOfRecord(value, place)
  return { ...place, value: withoutAnswerFields(value) }
}

function itemOfRecord({ kind, id, data }: SnapshotRecord, place: Place): Item {
  if (kind === SERVICE_KIND) return { ...place, isStored: true, value: data }
  if (kind !== 'node' && kind !== 'edge') {
    const reason = `has the kind ${JSON.stringify(kind.slice(0, 64))}, which this version does not know`
    return { ...place, fault: { code: 'COORD_FIELD_INVALID', reason } }
  }
  const stored = isJsonObject(data) ? data : {}
  const { id: nodeId, source, type, target, origin, ...value } = stored
  // The id of the record is a hash if the id of the subject is too long to store.
  const own =
    kind === 'node'
      ? nodeId
      : isEdge({ source, type, target, origin })
        ? edgeId({ source, type, target, origin } as unknown as EdgeIdentity)
        : undefined
  return { ...place, isStored: true, about: { kind, id: typeof own === 'string' ? own : id }, value }
}

function isEdge(parts: JsonObject | Readonly<Record<string, unknown>>): boolean {
  return Object.values(parts).every((part) => typeof part === 'string')
}

/** Makes a registration from a service of an answer. The coordinator that gets it adds the other members itself. */
export function withoutAnswerFields(value: unknown): unknown {
  if (!isJsonObject(value) || !('serviceId' in value && 'registeredAt' in value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !ADDED_FIELDS.includes(name)))
}

/** The name of an item for people, beside its place. */
export function nameOf({ about, value }: Item): string | undefined {
  if (about !== undefined) return about.id
  const name = isJsonObject(value) ? value['serviceName'] : undefined
  return typeof name === 'string' ? name : undefined
}
