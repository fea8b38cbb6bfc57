import type { EntryWrite, Revision, Write } from '../records/record.ts'

/** The shortest time for which a commit with a fingerprint that changed nothing is remembered, in milliseconds. */
export const UNCHANGED_KEPT_MS = 24 * 60 * 60 * 1_000
/** The most of these commits that are remembered. The oldest are forgotten first. */
export const UNCHANGED_KEPT_MAX = 100_000

/** A write without its content. The journal has the content, at the revision that the record had. */
export interface UnchangedWrite {
  readonly op: Write['op']
  readonly kind: string
  readonly id: string
}

/** A commit that changed nothing, as a store remembers it. */
export interface UnchangedCommit {
  readonly fingerprint: string
  readonly writes: readonly UnchangedWrite[]
  readonly revisions: readonly Revision[]
}

export function withoutData({ op, kind, id }: Write): UnchangedWrite {
  return { op, kind, id }
}

/**
 * The result for a commit with the id of an earlier one that changed nothing.
 *
 * @param writeAt the write of a revision to a record; `undefined` if the journal no longer has it
 */
export function resultOfUnchanged(
  { fingerprint, writes, revisions }: UnchangedCommit,
  asked: string | undefined,
  writeAt: (write: UnchangedWrite, revision: Revision) => EntryWrite | undefined,
) {
  if (fingerprint !== asked) return { outcome: 'reused', revision: Math.max(...revisions) } as const
  const then = writes.map((write, index) =>
    write.op === 'delete' ? (write as EntryWrite) : writeAt(write, revisions[index] as Revision),
  )
  const known = then.filter((write) => write !== undefined)
  return {
    outcome: 'unchanged',
    revisions,
    replayed: true,
    ...(known.length === then.length ? { writes: known } : {}),
  } as const
}
