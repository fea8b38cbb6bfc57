import type { Revision } from '../../records/record.ts'

/** A difference at the end. `revisions`: the commits that caused it, oldest first; at most the last twenty. */
export interface Difference<T> {
  readonly change: 'added' | 'removed' | 'changed'
  readonly id: string
  readonly before?: T
  readonly after?: T
  readonly revisions: readonly Revision[]
}

const MAX_REVISIONS = 20

interface Touched<T> {
  readonly before: T | undefined
  present: boolean
  revisions: Revision[]
}

/** The nodes, or the edges, that some commit referred to, and which commits changed what is said about each. */
export class TouchedItems<T> {
  readonly #items = new Map<string, Touched<T>>()
  readonly #describe: (id: string) => T | undefined

  /** @param describe the present form of an item; `undefined` if it does not exist */
  constructor(describe: (id: string) => T | undefined) {
    this.#describe = describe
  }

  /** Remembers the state before the commit of items that are referred to for the first time. */
  remember(ids: Iterable<string>): void {
    for (const id of ids) {
      if (this.#items.has(id)) continue
      const before = this.#describe(id)
      this.#items.set(id, { before, present: before !== undefined, revisions: [] })
    }
  }

  /** @param present whether the item exists after the commit. @param news whether the commit changed the item */
  note(
    id: string,
    { revision, present, news }: { revision: Revision; present: boolean; news: boolean },
  ): void {
    const item = this.#items.get(id) as Touched<T>
    // Only the commit that created or removed it counts, not the earlier ones.
    if (item.present !== present) item.revisions = [revision]
    else if (news && item.revisions.at(-1) !== revision) {
      item.revisions.push(revision)
      if (item.revisions.length > MAX_REVISIONS) item.revisions.shift()
    }
    item.present = present
  }

  /** Returns the differences, sorted by id. */
  differences(): readonly Difference<T>[] {
    const found: Difference<T>[] = []
    for (const [id, { before, revisions }] of this.#items) {
      const after = this.#describe(id)
      if (facts(before) === facts(after)) continue
      found.push({
        change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
        id,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
        revisions,
      })
    }
    return found.sort((left, right) => (left.id < right.id ? -1 : 1))
  }
}

/** The text to compare: all that an answer shows, without `revision`. A commit that repeats the content is not a change. */
function facts(shown: unknown): string | undefined {
  return JSON.stringify(shown, (key, value) => (key === 'revision' ? undefined : value))
}
