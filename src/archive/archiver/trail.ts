import type { Position, Revision } from '../../records/record.ts'
import type { ArchivedFile, Destination } from '../destination/destination.ts'
import {
  type AccessFileName,
  type BaseFileName,
  type LogFileName,
  parseFileName,
} from '../format/file-name.ts'

/** A position without its lineage. The digest alone says which history it belongs to. */
export type Mark = Pick<Position, 'revision' | 'digest'>

/** The files of one base. */
export interface ArchivedBase extends Mark {
  readonly files: readonly ArchivedFile[]
  /** Whether every part is there. */
  readonly isComplete: boolean
  /** When its newest part was written, by the clock of the destination. Epoch milliseconds. */
  readonly writtenAt: number
}

export interface ArchivedLog extends LogFileName {
  readonly file: ArchivedFile
}

export interface ArchivedAccess extends AccessFileName {
  readonly file: ArchivedFile
}

/** What an archive has of one lineage. The names of the files say it; no file is read. */
export interface Trail {
  readonly lineage: string
  /** Unfinished ones, too, in order of their revisions. */
  readonly bases: readonly ArchivedBase[]
  /** In order of their first revisions, then of their last ones. */
  readonly logs: readonly ArchivedLog[]
  /** The oldest first. */
  readonly access: readonly ArchivedAccess[]
}

/** @throws COORD_ARCHIVE_UNREACHABLE, COORD_ARCHIVE_REFUSED */
export async function readTrail(
  destination: Destination,
  lineage: string,
  signal?: AbortSignal,
): Promise<Trail> {
  const parts = new Map<string, { readonly name: BaseFileName; readonly files: ArchivedFile[] }>()
  const logs: ArchivedLog[] = []
  const access: ArchivedAccess[] = []
  for await (const file of destination.list(`${lineage}/`, signal)) {
    const name = parseFileName(file.name)
    if (name === undefined) continue
    if (name.kind === 'log') logs.push({ ...name, file })
    else if (name.kind === 'access') access.push({ ...name, file })
    else {
      const key = `${name.revision} ${name.digest} ${name.parts} ${name.encrypted}`
      const known = parts.get(key)
      if (known === undefined) parts.set(key, { name, files: [file] })
      else known.files.push(file)
    }
  }
  const bases = Array.from(
    parts.values(),
    ({ name: { revision, digest, parts: count }, files }): ArchivedBase => ({
      ...{ revision, digest, files },
      isComplete: files.length === count,
      writtenAt: Math.max(...files.map(({ writtenAt }) => writtenAt)),
    }),
  )
  return {
    lineage,
    bases: bases.sort((left, right) => left.revision - right.revision),
    logs: logs.sort(byRevisions),
    access: access.sort((left, right) => left.at - right.at),
  }
}

export function byRevisions(left: LogFileName, right: LogFileName): number {
  return left.first - right.first || left.last - right.last
}

/** The newest base that is complete. */
export function newestBase({ bases }: Pick<Trail, 'bases'>): ArchivedBase | undefined {
  return bases.findLast(({ isComplete }) => isComplete)
}

/** Follows logs from a mark on, as long as none is missing. Of several that go on, the one that reaches furthest counts. */
export function chainOf(logs: readonly ArchivedLog[], from: Mark, until = Infinity): readonly ArchivedLog[] {
  const chain: ArchivedLog[] = []
  let reached: Revision = from.revision
  let furthest: ArchivedLog | undefined
  for (const log of logs) {
    if (log.last > until) continue
    if (log.first > reached + 1) {
      if (furthest === undefined) break
      chain.push(furthest)
      reached = furthest.last
      furthest = undefined
      if (log.first > reached + 1) break
    }
    if (log.last > reached && log.last > (furthest?.last ?? 0)) furthest = log
  }
  if (furthest !== undefined) chain.push(furthest)
  return chain
}

/** Where the logs from a mark on end; the mark itself if there are none. */
export function chainEnd(logs: readonly ArchivedLog[], from: Mark): Mark {
  const last = chainOf(logs, from).at(-1)
  return last === undefined ? { revision: from.revision, digest: from.digest } : markOf(last)
}

export function markOf({ last, digest }: LogFileName): Mark {
  return { revision: last, digest }
}
