import { CoordinatorError } from '../../errors.ts'
import { EntryRing } from '../../live/following/entry-ring.ts'
import type { Live } from '../../live/live.ts'
import type { Entry, Position, Revision } from '../../records/record.ts'
import { ShownEntry } from '../answering/shown-entry.ts'
import { KeptPages } from './kept-pages.ts'
import { WakeUps } from './wake-ups.ts'

export interface FeedPage {
  /** In order, without gaps. */
  readonly entries: readonly ShownEntry[]
  /** Whether there are more already. */
  readonly more: boolean
}

/** The most pages of the store that are kept for other readers. Together they may be as large as the newest entries. */
const MAX_KEPT_PAGES = 16
/** The most positions of revisions that are kept for other readers. */
const MAX_KEPT_POSITIONS = 64
/**
 * The size of the newest entries that are kept, in UTF-16 code units. With a small heap, the limit is a part of the heap, with
 * one unit for each byte.
 */
const MAX_RING_SIZE = 16_777_216
const RING_PART = 1 / 32

/**
 * The journal for HTTP readers: the newest entries come from memory, older ones from the store, in pages that all readers with the same
 * question share.
 */
export class ChangeFeed {
  readonly ring: EntryRing
  readonly wakeUps: WakeUps
  readonly #live: Live
  /** The entries that were already converted to text, as long as the ring or a page holds them. */
  readonly #shown = new WeakMap<Entry, ShownEntry>()
  readonly #pages: KeptPages<readonly ShownEntry[]>
  readonly #positions: KeptPages<Position>

  constructor(live: Live) {
    this.#live = live
    const maxSize = Math.min(MAX_RING_SIZE, live.memory.limitBytes * RING_PART)
    this.ring = new EntryRing({ maxSize })
    this.wakeUps = new WakeUps(this.ring)
    this.#pages = new KeptPages({ topic: 'changes', maxPages: MAX_KEPT_PAGES, maxSize }, sizeOf)
    this.#positions = new KeptPages({ topic: 'changes', maxPages: MAX_KEPT_POSITIONS, maxSize }, () => 1)
    live.observe(this.ring)
    if (live.loaded) this.ring.replaced(live.view)
  }

  /**
   * The entries after a position.
   *
   * @throws COORD_REVISION_COMPACTED with `snapshot` if they are no longer kept, COORD_LINEAGE_CHANGED for a position of
   * another history, COORD_REVISION_WAIT_TIMEOUT for one that this coordinator has not reached, COORD_STORE_*
   */
  async after(position: Position, limit: number): Promise<FeedPage> {
    if (position.lineage === this.#live.view.lineage) await this.#live.waitForRevision(position.revision)
    // Read after the wait, because the view may have been replaced.
    const { lineage } = this.#live.view
    if (position.lineage !== lineage) throw otherHistory(lineage)
    const known = this.ring.digestOf(position.revision)
    if (known !== undefined) {
      if (known !== position.digest) throw otherHistory(lineage)
      const found = this.ring.after(position.revision, limit) ?? []
      return this.#pageOf(found.map((entry) => this.#show(entry, position.lineage)))
    }
    return this.#pageOf(await this.#older(position, limit))
  }

  /** Adds to a page whether there are more entries now. Each reader needs a new judgement, because pages are kept for long. */
  #pageOf(entries: readonly ShownEntry[]): FeedPage {
    const last = entries.at(-1)
    return { entries, more: last !== undefined && last.revision < this.#live.view.revision }
  }

  /**
   * The position of a revision without a given digest. Asks the store if it is not among the newest ones, once for all readers who want the
   * same one: thousands may have waited for the records to be loaded.
   */
  async positionOf(revision: Revision): Promise<Position> {
    const { position } = this.#live.view
    if (revision === position.revision) return position
    const digest = this.ring.digestOf(revision)
    if (digest !== undefined) return { lineage: position.lineage, revision, digest }
    return this.#positions.get(`${position.lineage} ${revision}`, () => this.#readPosition(revision))
  }

  async #readPosition(revision: Revision): Promise<Position> {
    try {
      for await (const page of this.#live.asOf({ revision }, { kind: 'none', id: '-' })) return page.position
    } catch (thrown) {
      throw thrown instanceof CoordinatorError && thrown.code === 'COORD_REVISION_COMPACTED'
        ? compacted()
        : thrown
    }
    throw new CoordinatorError('COORD_STORE_FAULT', {
      detail: 'The store told the past without a single page.',
    })
  }

  /** The newest revision whose author nobody proved; `null` if authors never had to prove anything. */
  get unprovenUntil(): Revision | null {
    return this.#live.requiredSince
  }

  /** The newest entries as readers get them; see `EntryRing.after`. */
  newest({ lineage, revision }: Position, limit: number): readonly ShownEntry[] | undefined {
    return this.ring.after(revision, limit)?.map((entry) => this.#show(entry, lineage))
  }

  #show(entry: Entry, lineage: string): ShownEntry {
    const known = this.#shown.get(entry)
    if (known !== undefined) return known
    const shown = new ShownEntry(entry, { lineage, proof: this.#live })
    this.#shown.set(entry, shown)
    return shown
  }

  #older(position: Position, limit: number): Promise<readonly ShownEntry[]> {
    const key = `${position.lineage} ${position.revision} ${position.digest} ${limit}`
    return this.#pages.get(key, () => this.#read(position, limit))
  }

  async #read(position: Position, limit: number): Promise<readonly ShownEntry[]> {
    const reply = await this.#live.changes(position, limit)
    if (reply.status === 'compacted') throw compacted()
    if (reply.status !== 'ok') throw otherHistory(reply.head.position.lineage)
    // No reader may get entries here that the view does not show yet.
    return reply.entries
      .filter(({ revision }) => revision <= this.#live.view.revision)
      .map((entry) => this.#show(entry, position.lineage))
  }
}

function sizeOf(page: readonly ShownEntry[]): number {
  return page.reduce((sum, { size }) => sum + size, 0)
}

function otherHistory(lineage: string): CoordinatorError {
  return new CoordinatorError('COORD_LINEAGE_CHANGED', {
    detail: 'The position belongs to another history: read `GET /snapshot`, and follow from its position.',
    extra: { lineage, snapshot: '/snapshot' },
  })
}

function compacted(): CoordinatorError {
  return new CoordinatorError('COORD_REVISION_COMPACTED', {
    detail: 'What was committed after that position is no longer kept.',
    hint: 'Read `GET /snapshot`, and follow from the position in its first line.',
    extra: { snapshot: '/snapshot' },
  })
}
