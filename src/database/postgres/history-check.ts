import type { Position } from '../../records/record.ts'
import type { ChangesReply } from '../store.ts'
import type { KnownPositions } from './known-positions.ts'

/**
 * How a position of a replica relates to the history of the primary:
 * - `same`: it is a part of it.
 * - `behind`: it is older than what the primary keeps, or of a lineage that the primary's history descends from.
 * - `ahead`: the primary does not have it. A standby may show a commit a moment before the primary does; longer means another history.
 * - `other`: it is a part of another history.
 */
export type Relation = 'same' | 'behind' | 'ahead' | 'other'

/** Finds out whether replicas show the history of the primary. What is not remembered is asked of the primary, once at a time. */
export class HistoryCheck {
  readonly #known: KnownPositions
  readonly #changesAfter: (position: Position) => Promise<ChangesReply>
  readonly #underWay = new Map<string, Promise<Relation>>()

  /** @param changesAfter asks the primary whether it knows a position */
  constructor(known: KnownPositions, changesAfter: (position: Position) => Promise<ChangesReply>) {
    this.#known = known
    this.#changesAfter = changesAfter
  }

  /** @throws what the primary throws */
  async relationOf(position: Position): Promise<Relation> {
    if (this.#known.has(position)) return 'same'
    if (this.#known.descendsFrom(position.lineage)) return 'behind'
    const key = `${position.lineage} ${position.revision} ${position.digest}`
    const asked = this.#underWay.get(key) ?? this.#ask(position).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, asked)
    return asked
  }

  async #ask(position: Position): Promise<Relation> {
    const reply = await this.#changesAfter(position)
    if (reply.status === 'ok') return 'same'
    if (reply.status === 'compacted') return 'behind'
    if (reply.status === 'ahead') return 'ahead'
    return reply.head.ancestors.includes(position.lineage) ? 'behind' : 'other'
  }
}
