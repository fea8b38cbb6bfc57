import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArchiveSource } from '../../../src/archive/archiver/archive-source.ts'
import { Archiver, type ArchiverOptions } from '../../../src/archive/archiver/archiver.ts'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import type { Store } from '../../../src/database/store.ts'
import type { Live } from '../../../src/live/live.ts'
import type { StoredRecord } from '../../../src/records/record.ts'
import { type LiveScope, type LiveSetup, until, withLive } from '../../support/with-live.ts'
import { FaultyDestination } from './faulty-destination.ts'
import { type ReadArchive, readArchive, recordsAt } from './read-archive.ts'

/** An archiver on a live layer, and what its observer heard. */
export interface ArchiverScope extends LiveScope {
  readonly archiver: Archiver
  readonly destination: FaultyDestination
  readonly folder: string
  /** What was told, such as `failing COORD_ARCHIVE_FULL`. */
  readonly told: string[]
  /** Waits until everything that is served is archived. */
  archived(): Promise<void>
  /** What the archive has of the served lineage. */
  read(): Promise<ReadArchive>
  /** Starts an archiver like this one: of another coordinator, or after a restart. */
  archiverOn(live: Live, options?: Partial<ArchiverOptions>): Archiver
}

export interface ArchiverSetup extends LiveSetup {
  readonly archiver?: Partial<ArchiverOptions>
  /** Whether the body finds it started. @default true */
  readonly archiving?: boolean
}

/** Runs a test with an archiver that writes into a folder of its own, every few milliseconds. */
export async function withArchiver(
  body: (scope: ArchiverScope) => Promise<void>,
  setup: ArchiverSetup = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'coordinator-archive-'))
  const archivers: Archiver[] = []
  const destination = new FaultyDestination(new FolderDestination({ path: folder }))
  const told: string[] = []
  const archiverOn = (live: Live, options: Partial<ArchiverOptions> = {}) => {
    const archiver = new Archiver({
      ...{ store: live.store, destination, source: sourceOf(live), observer: hear(told) },
      ...{ intervalMs: 10, retryMaxMs: 20, ...setup.archiver, ...options },
    })
    archivers.push(archiver)
    return archiver
  }
  try {
    await withLive(async (scope) => {
      const { live } = scope
      const archiver = archiverOn(live)
      if (setup.archiving !== false) archiver.start()
      try {
        await body({
          ...{ ...scope, archiver, destination, folder, told, archiverOn },
          archived: () => untilArchived(archiver, live),
          read: () => readArchive(destination.inner, live.view.lineage),
        })
      } finally {
        destination.heal()
        await Promise.all(archivers.map((each) => each.finish(0)))
      }
    }, setup)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What a live layer serves, as the coordinator gives it to its archiver. */
export function sourceOf(live: Live): ArchiveSource {
  return {
    served: () =>
      live.loaded ? { ...live.view.position, at: live.view.at, ancestors: live.ancestors } : undefined,
    snapshot() {
      if (!live.loaded) return undefined
      const { position, at, records } = live.view.snapshot()
      return { point: { ...position, at, ancestors: live.ancestors }, records }
    },
  }
}

export async function untilArchived(archiver: Archiver, live: Live): Promise<void> {
  const { revision } = live.view
  const isArchived = () => {
    const { state, archivedRevision, baseAt } = archiver.figures
    return state === 'ok' && baseAt > 0 && archivedRevision >= revision
  }
  await until(isArchived).catch((cause) => {
    throw new Error(`Revision ${revision} is not archived: ${JSON.stringify(archiver.figures)}`, { cause })
  })
}

function hear(told: string[]): NonNullable<ArchiverOptions['observer']> {
  return {
    begun: ({ hasBase, from }) => told.push(hasBase ? `goes on from ${from}` : `begins at ${from}`),
    failing: (error) => told.push(`failing ${(error as { code?: string }).code}`),
    stopped: (error) => told.push(`stopped ${(error as { code?: string }).code}`),
    recovered: () => told.push('recovered'),
    based: ({ revision }) => told.push(`base ${revision}`),
    lost: ({ revision }) => told.push(`lost base ${revision}`),
    gap: ({ from, to }) => told.push(`gap ${from}-${to}`),
    pruned: ({ files }) => told.push(`pruned ${files}`),
    drilled: ({ ok }) => told.push(ok ? 'drill passed' : 'drill failed'),
  }
}

/** The records of a store at a revision. */
export async function stateAt(store: Pick<Store, 'asOf'>, revision: number): Promise<StoredRecord[]> {
  return (await Array.fromAsync(store.asOf({ revision }))).flatMap(({ records }) => records)
}

/** What is archived at each of these revisions, beside what the store had then. */
export async function comparison(
  archive: ReadArchive,
  store: Pick<Store, 'asOf'>,
  revisions: readonly number[],
): Promise<readonly [archived: unknown, stored: unknown]> {
  const archived = revisions.map((revision) => recordsAt(archive, revision))
  const stored: StoredRecord[][] = []
  for (const revision of revisions) stored.push(await stateAt(store, revision))
  return [archived, stored]
}
