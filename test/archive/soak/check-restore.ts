import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'vitest'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { type Inventory, readInventory } from '../../../src/archive/inventory/inventory.ts'
import { momentsOf } from '../../../src/archive/inventory/moments.ts'
import {
  type PlanOptions,
  planDrill,
  planRestore,
  type RestoreTarget,
} from '../../../src/archive/inventory/plan-restore.ts'
import { drill } from '../../../src/archive/restore/drill.ts'
import { restore } from '../../../src/archive/restore/restore.ts'
import { type VerifyReport, verifyArchive } from '../../../src/archive/restore/verify-archive.ts'
import { examineStore } from '../../../src/database/examine-store.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { SqliteStore } from '../../../src/database/sqlite/store.ts'
import type { Store } from '../../../src/database/store.ts'
import type { Entry, Revision } from '../../../src/records/record.ts'
import { tokenOf } from '../../conformance/build.ts'
import { Caller, loadAll, recordsAsOf } from '../../conformance/caller.ts'
import { entriesAfter } from './archived-coordinator.ts'
import type { Oracle } from './oracle.ts'
import type { Random } from './random.ts'
import type { RandomHistory } from './random-history.ts'

const patience = { patienceMs: 5_000, signal: new AbortController().signal }

/** An archive, and what it must give back. */
export interface Archived {
  readonly random: Random
  /** Where stores are made. */
  readonly folder: string
  readonly path: string
  readonly history: RandomHistory
  readonly identities: readonly string[]
}

/** Revisions that can be restored, from the first to the last one. */
export interface Restorable {
  readonly lineage: string
  readonly from: Revision
  readonly to: Revision
  /** Whether the archive has nothing later of this history. */
  readonly isLast: boolean
}

/** A moment to restore, and the revision that it is. */
export interface Wanted {
  target: RestoreTarget
  readonly lineage: string
  readonly revision: Revision
}

export function inventoryOf({ path, identities }: Pick<Archived, 'path' | 'identities'>): Promise<Inventory> {
  return readInventory(new FolderDestination({ path }), { identities })
}

/** Reads every file. */
export async function verified({ path, identities }: Archived): Promise<VerifyReport> {
  const inventory = await inventoryOf({ path, identities })
  return verifyArchive({ inventory, destination: new FolderDestination({ path }), identities, patience })
}

/** Rehearses a restore of each history. @returns how many were rehearsed */
export async function rehearse({ path, identities }: Archived): Promise<number> {
  const inventory = await inventoryOf({ path, identities })
  const destination = new FolderDestination({ path })
  let count = 0
  for (const { lineage } of inventory.lineages) {
    const plan = await planDrill(inventory, lineage)
    if (plan === undefined) continue
    expect(await drill(plan, { destination, identities, patience })).toMatchObject({ checked: 'contents' })
    count += 1
  }
  return count
}

export async function restorableOf(inventory: Inventory): Promise<Restorable[]> {
  const found: Restorable[] = []
  for (const { lineage, ...each } of inventory.lineages) {
    const ranges = await momentsOf(inventory, { lineage, ...each })
    for (const [index, { from, to }] of ranges.entries())
      found.push({ lineage, from: from.revision, to: to.revision, isLast: index === ranges.length - 1 })
  }
  return found
}

/** A random moment of a range: a revision, a time, or what was before a commit. */
export function randomTarget(
  random: Random,
  oracle: Oracle,
  { lineage, from, to, isLast }: Restorable,
): Wanted {
  const revision = random.between(from, to)
  const entries = oracle.entriesOf(lineage)
  const entry = entries[revision - 1]
  const what = random.pick(['revision', 'at', 'beforeCommit'])
  if (what === 'at' && entry !== undefined) {
    const { at } = entry
    const newest = entries.findLast((each) => each.at <= at) as Entry
    // Where the archive has a gap, nobody knows whether what is missing came before that time.
    if (newest.revision < to || (isLast && newest.revision === to))
      return { target: { lineage, at }, lineage, revision: newest.revision }
  }
  if (what === 'beforeCommit' && entry !== undefined && revision > from) {
    const { commitId } = entry
    const isOnly = entries.filter((each) => each.commitId === commitId).length === 1
    if (isOnly) return { target: { lineage, beforeCommit: commitId }, lineage, revision: revision - 1 }
  }
  return { target: { lineage, revision }, lineage, revision }
}

/** A new, empty store. */
export async function emptyStore({ random, folder }: Archived): Promise<Store> {
  if (random.chance(0.7)) return new MemoryStore()
  return new SqliteStore({ path: join(folder, `${randomUUID()}.db`) })
}

/** Restores into a store of its own, which is closed at the end. */
export async function restoring<T>(
  archived: Archived,
  target: RestoreTarget,
  options: PlanOptions,
  check: (store: Store) => Promise<T>,
): Promise<T> {
  const { path, identities } = archived
  const destination = new FolderDestination({ path })
  const plan = await planRestore(await inventoryOf(archived), target, options)
  const store = await emptyStore(archived)
  try {
    await restore({ destination, identities, store, plan, patience }).catch(async (thrown: unknown) => {
      await requireUnserved(store)
      throw thrown
    })
    return await check(store)
  } finally {
    await store.close()
  }
}

/** Half of a restore never looks like a whole one. */
async function requireUnserved(store: Store): Promise<void> {
  const { mode, position } = await store.head()
  if (mode === 'open') expect(position.revision).toBe(0)
  else {
    expect(mode).toBe('seeding')
    await expect(Array.fromAsync(store.load())).rejects.toMatchObject({ code: 'COORD_STORE_FROZEN' })
  }
}

/** Restores a moment, and compares everything in the store with the oracle. */
export async function checkRestore(
  archived: Archived,
  wanted: Wanted,
  options: PlanOptions = {},
): Promise<void> {
  await restoring(archived, wanted.target, options, (store) => compare(archived, wanted, store))
}

async function compare(
  { random, history }: Archived,
  { lineage, revision }: Wanted,
  store: Store,
): Promise<void> {
  const { oracle } = history
  const entries = oracle.entriesOf(lineage).slice(0, revision)
  const head = await store.head()
  expect(head).toMatchObject({ mode: 'open', ancestors: [...oracle.ancestorsOf(lineage), lineage] })
  expect(head.position.revision).toBe(revision)
  if (revision > 0) expect(head.position.digest).toBe(entries.at(-1)?.digest)
  expect((await loadAll(store)).records).toEqual(oracle.recordsAt(lineage, revision))
  const then = random.between(head.floor, revision)
  const past = await recordsAsOf(store, { revision: then })
  expect(past.records).toEqual(oracle.recordsAt(lineage, then))
  const { position } = await recordsAsOf(store, { revision: head.floor })
  const restored = await entriesAfter({ changes: (after) => store.changes(after, 512) }, position)
  expect(restored).toEqual(entries.slice(head.floor))
  if (store.inspector !== undefined)
    expect(await examineStore(store.inspector)).toEqual({ damages: [], count: 0 })
  await repeat(store, restored)
  const { tokens } = await store.access.load()
  const known = new Map(tokens.map((token) => [token.name, token]))
  for (const [name, isRevoked] of history.tokens)
    if (known.has(name) && isRevoked) expect(known.get(name)?.revokedAt).not.toBeNull()
  if (lineage === oracle.lineage) expect([...known.keys()].sort()).toEqual([...history.tokens.keys()].sort())
  expect(tokens.every(({ name, secretHash }) => secretHash === tokenOf(name).secretHash)).toBe(true)
}

/** A client that repeats its request after the restore gets its first result. */
async function repeat(store: Store, entries: readonly Entry[]): Promise<void> {
  const entry = entries.findLast(({ fingerprint }) => fingerprint !== undefined)
  if (entry === undefined) return
  const newest = entries.findLast(({ commitId }) => commitId === entry.commitId)
  const { commitId, actor, writes, fingerprint = '' } = newest ?? entry
  const [result] = await (await Caller.at(store)).send({ commitId, actor, writes, fingerprint })
  expect(result).toMatchObject({ outcome: 'accepted', replayed: true, revision: (newest ?? entry).revision })
}
