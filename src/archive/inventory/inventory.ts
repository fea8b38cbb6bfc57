import type { ArchivedFile, Destination } from '../destination/destination.ts'
import type { ArchivedLineage } from '../format/archive-format.ts'
import { parseFileName } from '../format/file-name.ts'
import { ArchiveFiles, type ArchiveFilesOptions } from './archive-files.ts'
import { isCheck } from './checks.ts'
import { type Contradiction, contradictionsIn } from './contradictions.ts'
import { newestBase, type Trail, TrailCollector } from './trail.ts'

/** What an archive has of one history. */
export interface LineageInventory extends ArchivedLineage {
  readonly trail: Trail
  /** Whether its ancestors are known: not if its files are damaged, or no identity opens them. */
  readonly isReadable: boolean
  /** Places where two files of the same lineage say different things. */
  readonly contradictions: readonly Contradiction[]
  /** The size of its files. */
  readonly bytes: number
}

/** What an archive has. */
export interface Inventory {
  /** In order of their newest revisions. */
  readonly lineages: readonly LineageInventory[]
  /** Files that no coordinator wrote. They are never read, nor removed. */
  readonly strange: readonly ArchivedFile[]
  /** The size of all files of the lineages. */
  readonly bytes: number
  /** Reads the files, to know more than their names say. */
  readonly files: ArchiveFiles
}

/**
 * Lists an archive, and reads one file of each lineage, to know its ancestors.
 *
 * @throws COORD_ARCHIVE_UNREACHABLE, COORD_ARCHIVE_REFUSED
 */
export async function readInventory(
  destination: Destination,
  options: ArchiveFilesOptions = {},
): Promise<Inventory> {
  const files = new ArchiveFiles(destination, options)
  const collectors = new Map<string, TrailCollector>()
  const strange: ArchivedFile[] = []
  for await (const file of destination.list('', options.signal)) {
    const name = parseFileName(file.name)
    if (name === undefined) {
      if (!isCheck(file.name)) strange.push(file)
      continue
    }
    const collector = collectors.get(name.lineage) ?? new TrailCollector(name.lineage)
    collectors.set(name.lineage, collector)
    collector.add(file)
  }
  const lineages: LineageInventory[] = []
  for (const collector of collectors.values()) lineages.push(await lineageInventory(collector.trail(), files))
  lineages.sort((left, right) => newestRevision(left.trail) - newestRevision(right.trail))
  return { lineages, strange, files, bytes: lineages.reduce((sum, { bytes }) => sum + bytes, 0) }
}

/** Every file of a lineage. */
export function filesOf({ bases, logs, access }: Trail): ArchivedFile[] {
  return [...bases.flatMap(({ files }) => files), ...[...logs, ...access].map(({ file }) => file)]
}

/** The newest revision that the names of the files mention; 0 if there is none. */
export function newestRevision({ bases, logs }: Trail): number {
  return Math.max(bases.at(-1)?.revision ?? 0, ...logs.slice(-1_000).map(({ last }) => last))
}

async function lineageInventory(trail: Trail, files: ArchiveFiles): Promise<LineageInventory> {
  const found = await readLineage(trail, files)
  return {
    lineage: trail.lineage,
    ancestors: found?.ancestors ?? [],
    isReadable: found !== undefined,
    trail,
    contradictions: contradictionsIn(trail),
    bytes: filesOf(trail).reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** How many files are tried to learn the ancestors of a lineage. */
const TRIES = 3

/** The newest files know all ancestors: a history can adopt another one later. */
async function readLineage(trail: Trail, files: ArchiveFiles): Promise<ArchivedLineage | undefined> {
  const newest = trail.logs.slice(-TRIES).map(({ file }) => file)
  const base = newestBase(trail)?.files[0]
  const access = trail.access.at(-1)?.file
  for (const file of [...newest.reverse(), base, access, ...filesOf(trail).slice(0, 1)]) {
    const found = file === undefined ? undefined : await files.lineageOf(file)
    if (found !== undefined) return found
  }
  return undefined
}
