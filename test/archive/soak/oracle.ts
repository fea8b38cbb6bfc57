import type { Entry, Position, Revision, StoredRecord } from '../../../src/records/record.ts'
import { byKey } from '../../conformance/caller.ts'

interface Branch {
  readonly parent: string | undefined
  /** Up to this revision, the history is that of the parent. */
  readonly from: Revision
  readonly entries: Entry[]
}

/** All that ever stood in the journal of a database, in each of its histories. It forgets nothing. */
export class Oracle {
  readonly #branches = new Map<string, Branch>()
  /** The present history. */
  lineage: string

  constructor(lineage: string) {
    this.lineage = lineage
    this.#branches.set(lineage, { parent: undefined, from: 0, entries: [] })
  }

  get lineages(): readonly string[] {
    return [...this.#branches.keys()]
  }

  /** Those that no other one descends from. */
  get newest(): readonly string[] {
    const parents = new Set(Array.from(this.#branches.values(), ({ parent }) => parent))
    return this.lineages.filter((lineage) => !parents.has(lineage))
  }

  ancestorsOf(lineage: string): string[] {
    const parent = this.#branches.get(lineage)?.parent
    return parent === undefined ? [] : [...this.ancestorsOf(parent), parent]
  }

  /** The present history goes on. */
  add(entries: readonly Entry[]): void {
    this.#branches.get(this.lineage)?.entries.push(...entries)
  }

  /** A new history begins at a revision of another one. */
  branch(lineage: string, parent: string, from: Revision): void {
    this.#branches.set(lineage, { parent, from, entries: [] })
    this.lineage = lineage
  }

  /** Every entry of a history, from revision 1 on. */
  entriesOf(lineage: string): readonly Entry[] {
    const branch = this.#branches.get(lineage)
    if (branch === undefined) throw new Error(`Nobody knows the lineage ${lineage}.`)
    const { parent, from, entries } = branch
    return parent === undefined ? entries : [...this.entriesOf(parent).slice(0, from), ...entries]
  }

  positionOf(lineage: string): Position {
    const last = this.entriesOf(lineage).at(-1)
    const { revision, digest } = last ?? { revision: 0, digest: lineage }
    return { lineage, revision, digest }
  }

  recordsAt(lineage: string, until: Revision): StoredRecord[] {
    const records = new Map<string, StoredRecord>()
    for (const { revision, at, writes } of this.entriesOf(lineage).slice(0, until))
      for (const write of writes) {
        const { kind, id } = write
        const name = `${kind}\0${id}`
        const createdAt = records.get(name)?.createdAt ?? at
        if (write.op === 'delete') records.delete(name)
        else records.set(name, { kind, id, data: write.data, revision, createdAt, updatedAt: at })
      }
    return [...records.values()].sort(byKey)
  }
}
