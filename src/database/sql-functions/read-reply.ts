import { CoordinatorError, type WriteOutcome } from '../../errors.ts'
import { type CanonicalJson, canonicalJson } from '../../records/canonical-json.ts'
import type { Entry, EntryWrite, Position, StoredRecord, Tombstone } from '../../records/record.ts'
import type { Head, OffTrack, StoreMode } from '../store.ts'

/** A JSON object as it arrived, not checked yet. */
export type Reply = Readonly<Record<string, unknown>>

/** Thrown while a reply is read. The function that started reading turns it into `COORD_STORE_REPLY`. */
class Unreadable extends Error {}

/**
 * Reads a reply.
 *
 * @param outcome the outcome of the write that the reply answers
 * @throws COORD_STORE_REPLY if it is not a reply of the function
 */
export function readReply<T>(reply: unknown, read: (reply: Reply) => T, outcome?: WriteOutcome): T {
  try {
    return read(objectOf(reply, 'the reply'))
  } catch (thrown) {
    if (!(thrown instanceof Unreadable)) throw thrown
    throw new CoordinatorError('COORD_STORE_REPLY', {
      detail: `The database gave an answer without ${thrown.message}.`,
      ...(outcome === undefined ? {} : { outcome }),
    })
  }
}

/** Refuses a reply that is not that of a call which succeeded. */
export function requireOk(reply: Reply): void {
  if (reply['status'] !== 'ok') throw new Unreadable('the status ok')
}

export function headOf(reply: unknown): Head {
  const head = objectOf(reply, 'a head')
  return {
    position: positionOf(head),
    floor: numberOf(head, 'floor'),
    at: numberOf(head, 'at'),
    accessVersion: textOf(head, 'accessVersion'),
    // A schema that is just being created answers before its last migration has run.
    ancestors: head['ancestors'] === undefined ? [] : textsOf(head, 'ancestors'),
    mode: head['mode'] === undefined ? 'open' : modeOf(head),
  }
}

const modes: readonly StoreMode[] = ['open', 'seeding', 'copy', 'frozen']

/** The mode of the store, as the member `mode` says it. */
export function modeOf(reply: Reply): StoreMode {
  const mode = modes.find((name) => name === reply['mode'])
  if (mode === undefined) throw new Unreadable('a known mode')
  return mode
}

export function positionOf(reply: Reply): Position {
  return {
    lineage: textOf(reply, 'lineage'),
    revision: numberOf(reply, 'revision'),
    digest: textOf(reply, 'digest'),
  }
}

/** The reply as `compacted`, `ahead` or `diverged`; `undefined` if the caller's position is right. */
export function offTrackOf(reply: Reply): OffTrack | undefined {
  const status = reply['status']
  if (status !== 'compacted' && status !== 'ahead' && status !== 'diverged') return undefined
  return { status, head: headOf(reply['head']) }
}

export function entriesOf(reply: Reply): { entries: Entry[]; more: boolean } {
  return { entries: listOf(reply, 'entries').map(entryOf), more: reply['more'] === true }
}

export function entryOf(value: unknown): Entry {
  const entry = objectOf(value, 'an entry')
  const { fingerprint } = entry
  return {
    revision: numberOf(entry, 'revision'),
    commitId: textOf(entry, 'commitId'),
    at: numberOf(entry, 'at'),
    actor: textOf(entry, 'actor'),
    writes: writesOf(entry),
    digest: textOf(entry, 'digest'),
    ...(typeof fingerprint === 'string' ? { fingerprint } : {}),
  }
}

/** The writes of an entry, as the journal keeps them. */
export function writesOf(reply: Reply): EntryWrite[] {
  return listOf(reply, 'writes').map(writeOf)
}

function writeOf(value: unknown): EntryWrite {
  const write = objectOf(value, 'a write')
  const [kind, id] = [textOf(write, 'kind'), textOf(write, 'id')]
  if (write['op'] === 'put') return { op: 'put', kind, id, data: dataOf(write['data']) }
  if (write['op'] === 'delete') return { op: 'delete', kind, id }
  throw new Unreadable('a known op')
}

export interface Rows {
  readonly records: StoredRecord[]
  readonly tombstones: Tombstone[]
  /** The start of the next page, to be sent as it is; absent on the last page. */
  readonly next?: unknown
}

/** The rows of `load` and `as_of`: `[kind, id, data, revision, createdAt, updatedAt]`; without data, a tombstone. */
export function rowsOf(reply: Reply): Rows {
  const records: StoredRecord[] = []
  const tombstones: Tombstone[] = []
  for (const row of listOf(reply, 'rows')) {
    if (!Array.isArray(row)) throw new Unreadable('a row')
    const [kind, id, data, revision, createdAt, updatedAt] = row as unknown[]
    if (typeof kind !== 'string' || typeof id !== 'string' || typeof revision !== 'number')
      throw new Unreadable('a key in a row')
    if (data === null) tombstones.push({ kind, id, revision })
    else if (typeof createdAt !== 'number' || typeof updatedAt !== 'number')
      throw new Unreadable('times in a row')
    else records.push({ kind, id, data: dataOf(data), revision, createdAt, updatedAt })
  }
  return { records, tombstones, ...(reply['next'] === undefined ? {} : { next: reply['next'] }) }
}

export function listOf(reply: Reply, member: string): readonly unknown[] {
  const list = reply[member]
  if (!Array.isArray(list)) throw new Unreadable(`a list ${member}`)
  return list
}

export function numbersOf(reply: Reply, member: string): readonly number[] {
  const list = listOf(reply, member)
  if (!list.every((item) => typeof item === 'number')) throw new Unreadable(`numbers in ${member}`)
  return list
}

export function textsOf(reply: Reply, member: string): readonly string[] {
  const list = listOf(reply, member)
  if (!list.every((item) => typeof item === 'string')) throw new Unreadable(`texts in ${member}`)
  return list
}

export function numberOf(reply: Reply, member: string): number {
  const number = reply[member]
  if (typeof number !== 'number') throw new Unreadable(`a number ${member}`)
  return number
}

export function textOf(reply: Reply, member: string): string {
  const text = reply[member]
  if (typeof text !== 'string') throw new Unreadable(`a text ${member}`)
  return text
}

export function objectOf(value: unknown, what: string): Reply {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unreadable(what)
  return value as Reply
}

/**
 * `data` as canonical text. `jsonb` can hold numbers that are larger than every double. The triggers refuse them, but a superuser can
 * switch the triggers off. Every coordinator then reads such a number as the largest double, and continues to work.
 */
function dataOf(data: unknown): CanonicalJson {
  try {
    return canonicalJson(data)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    return canonicalJson(JSON.parse(JSON.stringify(data, finite)))
  }
}

function finite(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY
    ? Number.MAX_VALUE
    : value === Number.NEGATIVE_INFINITY
      ? -Number.MAX_VALUE
      : value
}
