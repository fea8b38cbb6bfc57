import type { RecordKey, Revision } from '../../records/record.ts'
import type { AsOfFilter } from '../store.ts'
import type { RecordState } from './record-state.ts'

/** The newest state of each record, by kind and id. */
export class RecordStates {
  readonly #byKind = new Map<string, Map<string, RecordState>>()

  get({ kind, id }: RecordKey): RecordState | undefined {
    return this.#byKind.get(kind)?.get(id)
  }

  set(state: RecordState): void {
    let ofKind = this.#byKind.get(state.kind)
    if (ofKind === undefined) {
      ofKind = new Map()
      this.#byKind.set(state.kind, ofKind)
    }
    ofKind.set(state.id, state)
  }

  /** Forgets a record, if this revision is still its newest. */
  forget({ kind, id }: RecordKey, revision: Revision): void {
    const ofKind = this.#byKind.get(kind)
    if (ofKind?.get(id)?.revision === revision) ofKind.delete(id)
  }

  clear(): void {
    this.#byKind.clear()
  }

  /** The keys of records and tombstones, in no particular order. */
  *keys({ kind: wanted, id }: AsOfFilter = {}): Generator<RecordKey> {
    if (wanted !== undefined && id !== undefined) return yield { kind: wanted, id }
    for (const [kind, ofKind] of this.#byKind)
      if (wanted === undefined || wanted === kind) for (const name of ofKind.keys()) yield { kind, id: name }
  }
}
