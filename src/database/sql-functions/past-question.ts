import type { Moment } from '../store.ts'
import type { Reply } from './read-reply.ts'

/** What an answer about the past has to know: the newest revision that was known when the question came, or a moment. */
export type PastNeeds = 'newest' | Moment

/** A page of `load`, `as_of` or `history`. */
export interface PastQuestion<T> {
  /** JSON text */
  readonly argument: string
  readonly needs: PastNeeds
  readonly read: (reply: Reply) => T
}

export type AskPast = <T>(question: PastQuestion<T>) => Promise<T>
