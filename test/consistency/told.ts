import type { Fields, Wish } from './recorded-call.ts'

/** What an answer says that names a revision: the journal must say the same. */
export type Told =
  /** A write that was stored as this revision. */
  | {
      readonly is: 'written'
      readonly key: string
      readonly wish: Wish
      readonly revision: number
      /** Where the client chose it. */
      readonly commitId?: string
      readonly note: string
    }
  /** A write of which was said that it did not happen. */
  | { readonly is: 'denied'; readonly commitId?: string; readonly wish: Wish; readonly note: string }
  /** A record as it was at a revision; `fields` is `undefined` where it was not there. */
  | {
      readonly is: 'shown'
      readonly key: string
      readonly at: number
      readonly fields: Fields | undefined
      readonly revision?: number
      readonly note: string
    }
  /** Everything that happened to a record up to a revision, newest first. */
  | {
      readonly is: 'history'
      readonly key: string
      readonly at: number
      readonly revisions: readonly number[]
      readonly complete: boolean
      readonly note: string
    }
