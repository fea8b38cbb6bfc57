import { Archiver } from '../../../src/archive/archiver/archiver.ts'
import type { ArchivedFile, Destination } from '../../../src/archive/destination/destination.ts'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import type { ChangesReply, Head, Store } from '../../../src/database/store.ts'
import { toCoordinatorError } from '../../../src/errors.ts'
import { Live } from '../../../src/live/live.ts'
import type { Commit, Entry, Position, Revision } from '../../../src/records/record.ts'
import { tokenOf } from '../../conformance/build.ts'
import { plainDomain, quick, until } from '../../support/with-live.ts'
import { FaultyDestination } from '../archiver/faulty-destination.ts'
import { sourceOf } from '../archiver/with-archiver.ts'

export interface ArchivingOptions {
  /** The folder of the archive. */
  readonly archive: string
  readonly intervalMs: number
  /** How many milliseconds of the archiver's time pass in one of ours, so that hours and days come within a test. */
  readonly speed: number
  /** When its time began. Epoch milliseconds. */
  readonly since: number
  readonly baseHours: number
  readonly recipients: readonly string[]
}

/** What a commit was answered: the revision of an accepted one, or another outcome, or the code of an error. */
export type Answer = { readonly revision: Revision } | { readonly outcome: string }

/** What the test asks of a coordinator that archives. */
export interface ArchivingCoordinator {
  start(): Promise<Head>
  commit(batch: readonly Commit[]): Promise<readonly Answer[]>
  fork(): Promise<Head>
  compact(floor: Revision): Promise<Head>
  head(): Promise<Head>
  changes(after: Position): Promise<ChangesReply>
  putToken(name: string): Promise<void>
  revokeToken(name: string): Promise<void>
  /** The destination fails, hangs or loses replies for a moment. */
  disturb(does: 'fail' | 'hang' | 'lose reply', ms: number): Promise<void>
  /** Resolves when everything is archived. */
  archived(): Promise<void>
  /** Archives what is left, and ends. */
  finish(): Promise<void>
}

/** A coordinator, reduced to its store, its live layer and its archiver. */
export class ArchivedCoordinator implements ArchivingCoordinator {
  readonly #store: Store
  readonly #live: Live
  readonly #archiver: Archiver
  readonly #destination: FaultyDestination

  constructor(store: Store, { archive, speed, since, ...settings }: ArchivingOptions) {
    const timeOf = (ms: number) => since + (ms - since) * speed
    this.#store = store
    // Everything that is asked of the live layer has time: the machine may be busy.
    this.#live = new Live(store, plainDomain, { ...quick, commitTimeoutMs: 10_000 })
    this.#destination = new FaultyDestination(new FastTime(new FolderDestination({ path: archive }), timeOf))
    this.#archiver = new Archiver({
      ...{ store: this.#live.store, destination: this.#destination, source: sourceOf(this.#live) },
      ...{ ...settings, keepDays: 3_650, retryMaxMs: 20, clock: () => Math.floor(timeOf(Date.now())) },
    })
  }

  async start(): Promise<Head> {
    await this.#live.start()
    this.#archiver.start()
    return this.#store.head()
  }

  commit(batch: readonly Commit[]): Promise<readonly Answer[]> {
    const commits = batch.map(async (commit): Promise<Answer> => {
      try {
        const result = await this.#live.commit(commit)
        return result.outcome === 'accepted' ? { revision: result.revision } : { outcome: result.outcome }
      } catch (thrown) {
        return { outcome: toCoordinatorError(thrown).code }
      }
    })
    return Promise.all(commits)
  }

  async fork(): Promise<Head> {
    const { position } = await this.#store.fork((await this.#store.head()).position)
    await until(() => this.#live.loaded && this.#live.view.lineage === position.lineage)
    return this.#store.head()
  }

  compact(floor: Revision): Promise<Head> {
    return this.#store.compact(floor)
  }

  head(): Promise<Head> {
    return this.#store.head()
  }

  changes(after: Position): Promise<ChangesReply> {
    return this.#store.changes(after, 512, 'client')
  }

  async putToken(name: string): Promise<void> {
    await this.#store.access.put(tokenOf(name))
  }

  async revokeToken(name: string): Promise<void> {
    await this.#store.access.revoke(tokenOf(name).id, 'token:admin')
  }

  async disturb(does: 'fail' | 'hang' | 'lose reply', ms: number): Promise<void> {
    const destination = this.#destination
    destination.fault = does === 'fail' ? { does, code: 'COORD_ARCHIVE_UNREACHABLE' } : { does }
    setTimeout(() => destination.heal(), ms)
  }

  async archived(): Promise<void> {
    const { position } = await this.#store.head()
    const isArchived = () => {
      const { state, archivedRevision, baseAt } = this.#archiver.figures
      return state === 'ok' && baseAt > 0 && archivedRevision >= position.revision
    }
    await until(isArchived).catch((cause: unknown) => {
      const { figures } = this.#archiver
      throw new Error(`Revision ${position.revision} is not archived: ${JSON.stringify(figures)}`, { cause })
    })
  }

  async finish(): Promise<void> {
    this.#destination.heal()
    await this.archived()
    await this.#archiver.finish(30_000)
    await this.#live.stop(1_000)
  }

  /** Ends as suddenly as one can within a process. What is under way is abandoned. */
  async abandon(): Promise<void> {
    await this.#archiver.finish(0)
    await this.#live.stop(0)
  }
}

/** A destination whose files were written in the time of the archiver. */
class FastTime implements Destination {
  readonly #inner: Destination
  readonly #timeOf: (ms: number) => number
  readonly shownUrl: string

  constructor(inner: Destination, timeOf: (ms: number) => number) {
    this.#inner = inner
    this.#timeOf = timeOf
    this.shownUrl = inner.shownUrl
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ArchivedFile> {
    for await (const file of this.#inner.list(prefix, signal))
      yield { ...file, writtenAt: Math.floor(this.#timeOf(file.writtenAt)) }
  }

  read(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#inner.read(name, signal)
  }

  write(name: string, content: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#inner.write(name, content, signal)
  }

  remove(name: string, signal?: AbortSignal): Promise<void> {
    return this.#inner.remove(name, signal)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

/** Every entry after a position. */
export async function entriesAfter(
  coordinator: Pick<ArchivingCoordinator, 'changes'>,
  after: Position,
): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let position = after; ; ) {
    const reply = await coordinator.changes(position)
    if (reply.status !== 'ok')
      throw new Error(`The journal after revision ${position.revision} is ${reply.status}.`)
    entries.push(...reply.entries)
    const last = reply.entries.at(-1)
    if (last === undefined || !reply.more) return entries
    position = { ...position, revision: last.revision, digest: last.digest }
  }
}
