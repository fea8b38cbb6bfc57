import type { AsOfFilter, AsOfPage, ChangesReply, Moment } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import type { Entry, Position, Revision } from '../../records/record.ts'
import type { EntryRing } from '../following/entry-ring.ts'
import type { View } from '../view/view.ts'

/** What can be asked about the past. */
export interface PastReader {
  readonly view: View
  readonly figures: { readonly floor: Revision }
  asOf(moment: Moment, filter?: AsOfFilter): AsyncIterable<AsOfPage>
  changes(after: Position, limit: number): Promise<ChangesReply>
}

/** Where the kept history begins. */
export interface KeptFrom {
  /** The revision before its first change. */
  readonly floor: Revision
  /** Time of its first change, epoch milliseconds; `undefined` if there is none. */
  readonly at: number | undefined
}

/** A filter that no record fulfills: only the position is wanted. */
const nothing: AsOfFilter = { kind: 'none', id: '-' }
/** Times whose revision is remembered. A number for each, and two for those that ask in regular steps. */
const REMEMBERED_MAX = 4_096

/**
 * Knows which revision was the newest at a time. Revisions have no gaps, so the difference of two of them is the number of changes between
 * two times, however many there are. The newest times come from memory; each of the others takes one question to the store, which is asked
 * once.
 */
export class RevisionTimes {
  readonly #live: PastReader
  readonly #ring: EntryRing
  readonly #known = new Map<number, Revision>()
  #keptFrom: KeptFrom | undefined
  #lineage: string | undefined

  /** @param ring has the newest entries */
  constructor(live: PastReader, ring: EntryRing) {
    this.#live = live
    this.#ring = ring
  }

  /**
   * The newest revisions at some times, in the same order. Between two times with the same revision nothing has to be asked.
   *
   * @param times in rising order, epoch milliseconds
   * @returns the floor for times before the kept history, and never more than the view shows now
   * @throws COORD_STORE_*, COORD_PAST_BUSY
   */
  async revisionsAt(times: readonly number[]): Promise<Revision[]> {
    const { revision, lineage } = this.#live.view
    if (lineage !== this.#lineage) this.#forget(lineage)
    const found = new Array<Revision>(times.length)
    // What was found before may be older than the kept history is now.
    const floor = Math.max(this.#live.figures.floor, this.#keptFrom?.floor ?? 0)
    const find = async (index: number) =>
      Math.min(revision, Math.max(floor, await this.#revisionAt(times[index] as number)))
    const between = async (low: number, high: number): Promise<void> => {
      if (high - low < 2) return
      if (found[low] === found[high]) return void found.fill(found[low] as Revision, low, high)
      const middle = (low + high) >> 1
      found[middle] = await find(middle)
      await between(low, middle)
      await between(middle, high)
    }
    if (times.length === 0) return found
    found[0] = await find(0)
    found[times.length - 1] = await find(times.length - 1)
    await between(0, times.length - 1)
    // The revisions of two histories cannot be compared.
    if (this.#live.view.lineage !== lineage) throw historyChanged()
    return found
  }

  /** @throws COORD_STORE_*, COORD_PAST_BUSY */
  async keptFrom(): Promise<KeptFrom> {
    const { lineage } = this.#live.view
    const { floor } = this.#live.figures
    if (lineage !== this.#lineage) this.#forget(lineage)
    // The history may get its first change at any moment.
    if (this.#keptFrom?.floor === floor && this.#keptFrom.at !== undefined) return this.#keptFrom
    this.#keptFrom = await this.#readKeptFrom(floor)
    return this.#keptFrom
  }

  async #readKeptFrom(floor: Revision): Promise<KeptFrom> {
    try {
      const reply = await this.#live.changes(await this.#positionOf({ revision: floor }), 1)
      if (reply.status === 'ok') return { floor, at: reply.entries[0]?.at }
      if (reply.status === 'compacted') return await this.#readKeptFrom(reply.head.floor)
      throw historyChanged()
    } catch (thrown) {
      const risen = compactedFloor(thrown)
      // Another coordinator has deleted old history, and this one does not know it yet.
      if (risen === undefined || risen <= floor) throw thrown
      return this.#readKeptFrom(risen)
    }
  }

  async #revisionAt(time: number): Promise<Revision> {
    const { at, revision, lineage } = this.#live.view
    if (time >= at) return revision
    const known = this.#inMemory(time) ?? this.#known.get(time)
    if (known !== undefined) return known
    const found = await this.#ask(time)
    if (this.#live.view.lineage !== lineage) throw historyChanged()
    // There is a later entry, and later ones have later times: this never changes.
    if (this.#known.size >= REMEMBERED_MAX) this.#known.delete(this.#known.keys().next().value as number)
    this.#known.set(time, found)
    return found
  }

  async #ask(time: number): Promise<Revision> {
    try {
      return (await this.#positionOf({ at: time })).revision
    } catch (thrown) {
      const floor = compactedFloor(thrown)
      if (floor === undefined) throw thrown
      return floor
    }
  }

  #inMemory(time: number): Revision | undefined {
    const base = this.#ring.base
    const entries = base === undefined ? undefined : this.#ring.after(base.revision)
    if (entries === undefined || entries.length === 0 || (entries[0] as Entry).at > time) return undefined
    let [low, high] = [0, entries.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((entries[middle] as Entry).at <= time) low = middle
      else high = middle
    }
    return (entries[low] as Entry).revision
  }

  async #positionOf(moment: Moment): Promise<Position> {
    for await (const { position } of this.#live.asOf(moment, nothing)) return position
    throw new CoordinatorError('COORD_STORE_FAULT', {
      detail: 'The store told the past without a single page.',
    })
  }

  #forget(lineage: string): void {
    this.#known.clear()
    this.#keptFrom = undefined
    this.#lineage = lineage
  }
}

function historyChanged(): CoordinatorError {
  return new CoordinatorError('COORD_STORE_BUSY', { detail: 'The history changed while it was read.' })
}

/** The floor that the error of a store names; `undefined` for other errors. */
function compactedFloor(thrown: unknown): Revision | undefined {
  if (!(thrown instanceof CoordinatorError) || thrown.code !== 'COORD_REVISION_COMPACTED') return undefined
  const { floor } = thrown.extra as { readonly floor?: unknown }
  return typeof floor === 'number' ? floor : undefined
}
