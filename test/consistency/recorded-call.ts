/** What a record holds, as far as the checker looks at it: each value is written by one call only. */
export type Fields = Readonly<Record<string, string>>

/** What a write asks of the record that it meets. */
export type Condition =
  | { readonly is: 'none' | 'absent' | 'exists' }
  /** `If-Match` with an ETag that somebody was given. */
  | { readonly is: 'revision'; readonly revision: number }

export type Wish =
  /** Takes the place of all fields; those in `keeps` stay where the wish does not name them. */
  | { readonly does: 'replace'; readonly fields: Fields; readonly keeps: readonly string[] }
  /** Changes some fields of a record that must be there. */
  | { readonly does: 'merge'; readonly fields: Fields }
  | { readonly does: 'delete' }
  /** What is there now, at every coordinator. */
  | { readonly does: 'read' }

export type Outcome =
  /** A write that succeeded. */
  | {
      readonly is: 'done'
      readonly revision: number
      readonly changed: boolean
      /** Absent where the answer does not say. */
      readonly created?: boolean
      /** Which of the fields the answer says are there. Absent where it does not say. */
      readonly holds?: Readonly<Record<string, boolean>>
    }
  /** The record that a read has shown. */
  | { readonly is: 'shown'; readonly revision: number; readonly fields: Fields }
  /** There is no such record. */
  | { readonly is: 'not found' }
  /** 412. `actual`: the revision that the record has; 0 where there is none. Absent where the answer does not say. */
  | { readonly is: 'refused'; readonly actual?: number }
  /** Nobody knows whether it happened; or whether it will. */
  | { readonly is: 'unknown' }

/** A call as its client saw it. Two calls of which one ended before the other began happened in that order. */
export interface RecordedCall {
  /** Kind and id of the record. */
  readonly key: string
  readonly wish: Wish
  readonly condition: Condition
  readonly outcome: Outcome
  /** When it was sent, and when its answer was there; infinite where there is none. One clock for all clients. */
  readonly start: number
  readonly end: number
  /** For people: client, coordinator, status. */
  readonly note: string
}
