import type { Entry, Position, Revision } from '../../records/record.ts'
import type { ChangesReply, CommitReply, Head, OffTrack, StoreMode } from '../store.ts'

/** How many of the newest revisions are remembered with their digests. */
const REMEMBERED = 4_096

/** The end of the history, as far as the primary has told it. */
export interface KnownEnd {
  readonly position: Position
  readonly floor: Revision
}

/**
 * What the primary told about its history, against which the answers of replicas are judged. The last answer wins: after a failover the
 * primary may know less than before.
 */
export class KnownPositions {
  #end: KnownEnd | undefined
  #ancestors: readonly string[] = []
  #mode: StoreMode = 'open'
  readonly #revisions = new Float64Array(REMEMBERED).fill(-1)
  readonly #digests = new Array<string>(REMEMBERED).fill('')

  /** `undefined` before the first answer of the primary. */
  get end(): KnownEnd | undefined {
    return this.#end
  }

  /** The mode that the primary told last. */
  get mode(): StoreMode {
    return this.#mode
  }

  /** Whether the history of the primary is known to descend from another one. */
  descendsFrom(lineage: string): boolean {
    return this.#ancestors.includes(lineage)
  }

  /** Whether a position is remembered as one of the primary's history. `false` says nothing: it may be older. */
  has({ lineage, revision, digest }: Position): boolean {
    const slot = revision % REMEMBERED
    return (
      lineage === this.#end?.position.lineage &&
      this.#revisions[slot] === revision &&
      this.#digests[slot] === digest
    )
  }

  /** Notes the head in an answer. Answers may overtake each other: a lower head of the same history is an older one. */
  head(head: Head): Head {
    const { position, floor, ancestors, mode } = head
    const known = this.#end?.position
    const isOlder = known?.lineage === position.lineage && position.revision < known.revision
    if (isOlder) return head
    if (known?.lineage !== position.lineage || (known.revision === position.revision && !this.has(position)))
      this.#forget()
    this.#end = { position, floor }
    this.#ancestors = ancestors
    this.#mode = mode
    this.#remember(position)
    return head
  }

  /** Notes the head that a change of the history itself left behind, even if it is lower than before. */
  changedHead(head: Head): Head {
    this.#forget()
    return this.head(head)
  }

  changes(after: Position, reply: ChangesReply): ChangesReply {
    if (reply.status !== 'ok') this.#offTrack(after, reply)
    else {
      this.#mode = reply.mode
      this.#follow(after, reply.entries)
    }
    return reply
  }

  commit(after: Position, reply: CommitReply): CommitReply {
    if (reply.status === 'superseded') return reply
    if (reply.status !== 'ok') {
      this.#offTrack(after, reply)
      return reply
    }
    this.#follow(after, reply.entries)
    // An answer without all entries still has the results.
    if (reply.more)
      for (const result of reply.results) {
        if (result.outcome !== 'accepted') continue
        const { revision, digest } = result
        this.confirmed({ lineage: after.lineage, revision, digest })
      }
    return reply
  }

  /** Notes a position that the primary has confirmed. */
  confirmed(position: Position): void {
    const end = this.#end
    if (position.lineage !== end?.position.lineage) return
    if (position.revision > end.position.revision) this.#end = { ...end, position }
    this.#remember(position)
  }

  #offTrack(after: Position, { status, head }: OffTrack): void {
    const known = this.#end?.position
    // A client may ask with any position. Only what the primary itself told contradicts it now.
    const isContradiction =
      known?.lineage === after.lineage &&
      ((status === 'ahead' && after.revision <= known.revision) || (status === 'diverged' && this.has(after)))
    if (isContradiction) this.changedHead(head)
    else this.head(head)
  }

  #follow(after: Position, entries: readonly Entry[]): void {
    const { lineage } = after
    if (this.#end?.position.lineage !== lineage) {
      this.#forget()
      this.#end = { position: after, floor: 0 }
    }
    this.confirmed(after)
    for (const { revision, digest } of entries) this.confirmed({ lineage, revision, digest })
  }

  #remember({ revision, digest }: Position): void {
    // The entries of long ago must not take the places of the newest ones.
    if (revision <= (this.#end?.position.revision ?? 0) - REMEMBERED) return
    const slot = revision % REMEMBERED
    this.#revisions[slot] = revision
    this.#digests[slot] = digest
  }

  #forget(): void {
    this.#end = undefined
    this.#ancestors = []
    this.#revisions.fill(-1)
  }
}
