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
  /** In order of the parts. At least one. */
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
  const collector = new TrailCollector(lineage)
  for await (const file of destination.list(`${lineage}/`, signal)) collector.add(file)
  return collector.trail()
}

/** Sorts the files of one lineage. */
export class TrailCollector {
  readonly #lineage: string
  readonly #parts = new Map<string, { readonly name: BaseFileName; readonly files: ArchivedFile[] }>()
  readonly #logs: ArchivedLog[] = []
  readonly #access: ArchivedAccess[] = []

  constructor(lineage: string) {
    this.#lineage = lineage
  }

  /** Adds the next file in order of the names. Files with other names are left out. */
  add(file: ArchivedFile): void {
    const name = parseFileName(file.name)
    if (name === undefined) return
    if (name.kind === 'log') this.#logs.push({ ...name, file })
    else if (name.kind === 'access') this.#access.push({ ...name, file })
    else {
      const key = `${name.revision} ${name.digest} ${name.parts} ${name.encrypted}`
      const known = this.#parts.get(key)
      if (known === undefined) this.#parts.set(key, { name, files: [file] })
      else known.files.push(file)
    }
  }

  trail(): Trail {
    const bases = Array.from(
      this.#parts.values(),
      ({ name: { revision, digest, parts: count }, files }): ArchivedBase => ({
        ...{ revision, digest, files },
        isComplete: files.length === count,
        writtenAt: Math.max(...files.map(({ writtenAt }) => writtenAt)),
      }),
    )
    return {
      lineage: this.#lineage,
      bases: bases.sort((left, right) => left.revision - right.revision),
      logs: this.#logs.sort(byRevisions),
      access: this.#access.sort((left, right) => left.at - right.at),
    }
  }
}

/** What a file has of the journal. */
export interface LogRange {
  readonly first: Revision
  readonly last: Revision
}

export function byRevisions(left: LogRange, right: LogRange): number {
  return left.first - right.first || left.last - right.last
}

/** The newest base that is complete. */
export function newestBase({ bases }: Pick<Trail, 'bases'>): ArchivedBase | undefined {
  return bases.findLast(({ isComplete }) => isComplete)
}

/**
 * Follows logs from a revision on, as long as none is missing. Of several that go on, the one that reaches furthest counts.
 *
 * @param logs in order of `byRevisions`
 */
export function chainOf<Log extends LogRange>(
  logs: readonly Log[],
  from: Pick<Mark, 'revision'>,
  until = Number.POSITIVE_INFINITY,
): readonly Log[] {
  const chain: Log[] = []
  let reached: Revision = from.revision
  let furthest: Log | undefined
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
