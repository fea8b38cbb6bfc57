/**
 * A process of its own that uses a store: `node store-process.ts COMMAND FILE [NAME]`. It answers by messages to its parent.
 *
 * - `open`: opens the store, tells its head or the error, and closes it.
 * - `hold`: opens the store, tells its head, and keeps it until it is killed.
 * - `write`: sends batches from four callers until it is killed, and tells each commit once it is acknowledged.
 * - `move`: takes the history with the name NAME (see `moved-history.ts`) as a restore does, from its beginning, and tells what it has done.
 * - `fill`: writes on a disk that is too small until that fails; frees the file `ballast` beside it; writes again.
 */
import { randomUUID } from 'node:crypto'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import { toCoordinatorError } from '../../src/errors.ts'
import { canonicalJson } from '../../src/records/canonical-json.ts'
import type { Commit, Position } from '../../src/records/record.ts'
import { newCall } from '../conformance/build.ts'
import { entriesOf, PARTS, pointOf, recordsOf } from './moved-history.ts'

export type ToParent =
  | { readonly head: { readonly revision: number; readonly lineage: string } }
  | { readonly failed: Failure }
  | { readonly acknowledged: readonly { readonly id: string; readonly revision: number }[] }
  | { readonly moved: 'records' | 'entries' | 'all' }
  | { readonly filled: FillReport }

export interface Failure {
  readonly code: string
  readonly exitCode: number
  readonly detail: string
  readonly outcome?: string
}

export interface FillReport {
  readonly failed: { readonly code: string; readonly outcome?: string; readonly retryable: boolean }
  /** What an empty batch, which asks whether writes work, was answered with no room, with some, and with enough. */
  readonly emptyBatches: readonly string[]
  readonly acknowledgedBefore: number
  readonly headAfterFailure: number
  readonly sameBatchAgain: readonly string[]
  readonly headAfterReopen: number
}

const [command, file = '', name = ''] = process.argv.slice(2)
const store = new SqliteStore({ path: file, lockTimeoutMs: 0 })

function tell(message: ToParent): void {
  process.send?.(message)
}

function newCommit(size = 200): Commit {
  const id = randomUUID()
  const data = canonicalJson({ id, text: 'x'.repeat(size) })
  return { commitId: randomUUID(), actor: 'test', writes: [{ op: 'put', kind: 'service', id, data }] }
}

async function write(position: Position): Promise<void> {
  for (;;) {
    const batch = Array.from({ length: 1 + Math.floor(Math.random() * 32) }, () => newCommit())
    const reply = await store.commit(position, batch, newCall())
    if (reply.status !== 'ok') throw new Error(reply.status)
    const acknowledged = reply.results.map((result, index) => ({
      id: batch[index]?.writes[0]?.id ?? '',
      revision: result.outcome === 'accepted' ? result.revision : 0,
    }))
    tell({ acknowledged })
    // Messages leave in a turn of the event loop of their own.
    await turn()
  }
}

/** Every part again: those that are there already are skipped by the store. */
async function move(): Promise<void> {
  const { mode, position } = await store.head()
  if (mode === 'open') await store.setMode('open', 'seeding')
  const point = pointOf(name)
  // A seed that comes again after the first entry would begin anew.
  if (position.lineage !== point.position.lineage || position.revision <= point.position.revision)
    for (let part = 0; part < PARTS; part += 1) {
      await store.seed(point, recordsOf(name, part))
      tell({ moved: 'records' })
      await turn()
    }
  for (const { after, entries } of entriesOf(name)) {
    const reply = await store.replay(after, entries)
    if (reply.status !== 'ok') throw new Error(reply.status)
    tell({ moved: 'entries' })
    await turn()
  }
  tell({ moved: 'all' })
}

async function fill(): Promise<FillReport> {
  const ballast = join(dirname(file), 'ballast')
  const mib = 1024 * 1024
  writeFileSync(ballast, Buffer.alloc(11 * mib))
  await store.open()
  let acknowledgedBefore = 0
  for (;;) {
    const { position } = await store.head()
    const batch = [newCommit(4_000), newCommit(4_000)]
    try {
      await store.commit(position, batch, newCall())
      acknowledgedBefore += batch.length
    } catch (thrown) {
      const { code, outcome, retryable } = toCoordinatorError(thrown)
      const headAfterFailure = (await store.head()).position.revision
      const ask = () =>
        store.commit(position, [], newCall()).then(
          ({ status }) => status,
          (error: unknown) => toCoordinatorError(error).code,
        )
      const emptyBatches = [await ask()]
      truncateSync(ballast, 7 * mib)
      emptyBatches.push(await ask())
      rmSync(ballast)
      emptyBatches.push(await ask())
      const again = await store.commit(position, batch, newCall())
      await store.close()
      const reopened = new SqliteStore({ path: file })
      const headAfterReopen = (await reopened.open()).position.revision
      await reopened.close()
      return {
        failed: { code, retryable, ...(outcome === undefined ? {} : { outcome }) },
        emptyBatches,
        acknowledgedBefore,
        headAfterFailure,
        sameBatchAgain:
          again.status === 'ok' ? again.results.map((result) => result.outcome) : [again.status],
        headAfterReopen,
      }
    }
  }
}

try {
  if (command === 'fill') {
    tell({ filled: await fill() })
  } else {
    const { position } = await store.open()
    tell({ head: { revision: position.revision, lineage: position.lineage } })
    if (command === 'move') await move()
    if (command === 'write') await Promise.all(Array.from({ length: 4 }, () => write(position)))
    if (command === 'hold') setInterval(() => undefined, 1_000)
    else await store.close()
  }
} catch (thrown) {
  const { code, exitCode, detail, outcome } = toCoordinatorError(thrown)
  tell({ failed: { code, exitCode, detail, ...(outcome === undefined ? {} : { outcome }) } })
  await store.close()
}
if (command !== 'hold') process.disconnect()
