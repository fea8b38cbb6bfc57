import { randomUUID } from 'node:crypto'
import type { CommitCall, NewToken } from '../../src/database/store.ts'
import { type CanonicalJson, canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit, Revision, Write } from '../../src/records/record.ts'

interface WriteOptions {
  /** @default 'service' */
  readonly kind?: string
  readonly expect?: Revision
}

/** A write that puts `value` under an id. */
export function put(id: string, value: unknown = { v: 1 }, options: WriteOptions = {}): Write {
  return { op: 'put', kind: 'service', id, data: canonicalJson(value), ...options }
}

/** A write that puts text as it is, canonical or not. */
export function putText(id: string, text: string): Write {
  return { op: 'put', kind: 'service', id, data: text as CanonicalJson }
}

export function remove(id: string, options: WriteOptions = {}): Write {
  return { op: 'delete', kind: 'service', id, ...options }
}

/** A commit of these writes under a new id. */
export function commitOf(...writes: readonly Write[]): Commit {
  return { commitId: randomUUID(), actor: 'test', writes }
}

/** A call of a writer that has called nothing before. */
export function newCall(): CommitCall {
  return { writer: randomUUID(), attempt: 1 }
}

/** The commit under a new id. */
export function renewed(commit: Commit): Commit {
  return { ...commit, commitId: randomUUID() }
}

/** `count` texts that start alike and sort in order. */
export function idsOf(prefix: string, count: number): string[] {
  const digits = String(count - 1).length
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(digits, '0')}`)
}

/** A time that every clock of a test run is before: see `Subject.setClock`. */
export const farFuture = Date.UTC(2100, 0, 1)

/** A token of this name. Its id and hash follow from the name. */
export function tokenOf(name: string, fields: Partial<NewToken> = {}): NewToken {
  const digits = Buffer.from(name).toString('hex')
  return {
    id: digits.padEnd(12, '0').slice(-12),
    name,
    scopes: ['read', 'register:shop/*'],
    secretHash: digits.padEnd(64, '0').slice(-64),
    createdBy: 'token:admin',
    expiresAt: null,
    ...fields,
  }
}
