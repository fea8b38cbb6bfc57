import { descendsFrom } from '../../database/ancestors.ts'
import type { HistoryGuard } from '../../database/guard-store.ts'
import type { Head } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'

/**
 * Knows the served history, and decides which others may take its place: one that descends from it, or one that it descends from (the
 * database was restored from an older backup). Any other means that the database was emptied or replaced. Before the first view is served,
 * and while the served one never had an entry, every history may be taken: nothing is lost, and the database may just have been filled.
 */
export class KnownHistory implements HistoryGuard {
  #served: Head | undefined
  #refusal: CoordinatorError | undefined
  /** Whether the served history has an entry. */
  #hasEntries = false

  get refusal(): CoordinatorError | undefined {
    return this.#refusal
  }

  /** The lineages that the served history descends from, the oldest first. */
  get ancestors(): readonly string[] {
    return this.#served?.ancestors ?? []
  }

  get isServed(): boolean {
    return this.#served !== undefined
  }

  /** The view has this history from now on. */
  serve(head: Head): void {
    this.#served = head
    this.#hasEntries = head.position.revision > 0
    this.#refusal = undefined
  }

  /** The view has an entry of this history. */
  advanced(): void {
    this.#hasEntries = true
  }

  admit(head: Head): Head {
    const served = this.#served
    if (
      served !== undefined &&
      this.#hasEntries &&
      !this.isEarlier(head) &&
      !descendsFrom(head, served.position.lineage)
    ) {
      this.#refusal = replaced(head, served.position.lineage)
      throw this.#refusal
    }
    this.#refusal = undefined
    if (head.position.lineage === served?.position.lineage) this.#served = head
    return head
  }

  confirm(): void {
    this.#refusal = undefined
  }

  /** The lineages of the served history that another one does not know, the oldest first. */
  unknownTo(head: Head): readonly string[] {
    if (this.#served === undefined) return []
    const { ancestors, position } = this.#served
    return [...ancestors, position.lineage].filter((lineage) => !descendsFrom(head, lineage))
  }

  /** Whether a head is of the served history, or of one that it descends from. A contradiction then means that commits were lost. */
  isEarlier({ position }: Head): boolean {
    return this.#served !== undefined && descendsFrom(this.#served, position.lineage)
  }
}

function replaced({ position: { lineage, revision } }: Head, served: string): CoordinatorError {
  return new CoordinatorError('COORD_STORE_REPLACED', {
    detail: `The database has the history ${lineage} at revision ${revision}. It does not continue the history ${served}, which is still served.`,
    outcome: 'not_written',
    hint: `Bring the right database back. If the new one is meant, run \`coordinator accept-history ${served}\` with the database settings of the coordinators, or restart them.`,
  })
}
