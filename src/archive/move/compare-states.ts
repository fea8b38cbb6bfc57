import type { Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Entry, Position, Revision, StoredRecord } from '../../records/record.ts'
import { Pace } from '../../scheduling/pace.ts'
import { compareCodePoints } from '../../text/code-point-order.ts'
import { StateDigest } from '../format/state-digest.ts'
import { withPatience } from '../restore/with-patience.ts'
import { ENTRIES_PER_CALL, type MoveContext } from './move-context.ts'
import { whileItMoves } from './while-it-moves.ts'

/**
 * Compares all records of both stores at one revision.
 *
 * @throws COORD_COPY_DIFFERS with the first key that differs; COORD_REVISION_COMPACTED if one has forgotten the revision
 */
export async function compareStates(context: MoveContext, revision: Revision): Promise<void> {
  const { from, to, patience, onProgress } = context
  const digestOf = (store: Store, tell?: (records: number) => void) =>
    whileItMoves(patience, async (moved) => {
      const digest = new StateDigest()
      const pace = new Pace()
      for await (const { records } of store.asOf({ revision })) {
        for (const record of records) {
          digest.add(record)
          if (pace.due) await pace.turn()
        }
        tell?.(digest.records)
        patience.signal.throwIfAborted()
        moved()
      }
      return digest.finish()
    })
  const tell = (records: number) =>
    onProgress?.({ phase: 'compare', records, revision, headRevision: revision })
  const [source, target] = await Promise.all([digestOf(from, tell), digestOf(to)])
  if (source === target) return
  throw differs(await firstDifference(context, revision), revision)
}

/** The first key whose record is not the same in both stores. */
async function firstDifference({ from, to }: MoveContext, revision: Revision): Promise<string> {
  const [left, right] = [recordsOf(from, revision), recordsOf(to, revision)]
  for (;;) {
    const [{ value: one }, { value: other }] = await Promise.all([left.next(), right.next()])
    if (one === undefined && other === undefined) return 'no record, when it was read again'
    if (one === undefined || (other !== undefined && order(other, one) < 0))
      return `\`${other?.kind} ${other?.id}\`, which only the copy has`
    if (other === undefined || order(one, other) < 0) return `\`${one.kind} ${one.id}\`, which the copy lacks`
    if (one.revision !== other.revision || one.data !== other.data) return `\`${one.kind} ${one.id}\``
  }
}

function order(one: StoredRecord, other: StoredRecord): number {
  return compareCodePoints(one.kind, other.kind) || compareCodePoints(one.id, other.id)
}

async function* recordsOf(store: Store, revision: Revision): AsyncGenerator<StoredRecord, undefined> {
  for await (const { records } of store.asOf({ revision })) yield* records
  return undefined
}

/**
 * Compares the entries that both stores have after a position, with all that they wrote.
 *
 * @throws COORD_COPY_DIFFERS
 */
export async function compareEntries(
  context: MoveContext,
  { after, upTo }: { readonly after: Position; readonly upTo: Position },
): Promise<void> {
  const [left, right] = [context.from, context.to].map((store) =>
    entriesOf(context, { store, after, upTo }),
  ) as [AsyncGenerator<Entry>, AsyncGenerator<Entry>]
  const pace = new Pace()
  for (let revision = after.revision + 1; revision <= upTo.revision; revision += 1) {
    const [{ value: one }, { value: other }] = await Promise.all([left.next(), right.next()])
    if (textOf(one) !== textOf(other)) throw differs(`the entry of revision ${revision}`, upTo.revision)
    if (pace.due) await pace.turn()
  }
}

async function* entriesOf(
  { patience }: MoveContext,
  { store, after, upTo }: { readonly store: Store; readonly after: Position; readonly upTo: Position },
): AsyncGenerator<Entry, undefined> {
  for (let position = after; position.revision < upTo.revision; ) {
    const reply = await withPatience(patience, () => store.changes(position, ENTRIES_PER_CALL))
    const last = reply.status === 'ok' ? reply.entries.at(-1) : undefined
    if (reply.status !== 'ok' || last === undefined) return undefined
    yield* reply.entries
    position = { lineage: position.lineage, revision: last.revision, digest: last.digest }
  }
  return undefined
}

/** The same text for the same entry, in whatever order a backend gives the members. */
function textOf(entry: Entry | undefined): string | undefined {
  if (entry === undefined) return undefined
  const { revision, commitId, at, actor, digest, fingerprint, writes } = entry
  const contents = writes.map((write) => [
    write.op,
    write.kind,
    write.id,
    write.op === 'put' ? write.data : null,
  ])
  return JSON.stringify([revision, commitId, at, actor, digest, fingerprint ?? null, contents])
}

function differs(what: string, revision: Revision): CoordinatorError {
  return new CoordinatorError('COORD_COPY_DIFFERS', {
    detail: `At revision ${revision}, the two databases differ. The first difference is ${what}.`,
  })
}
