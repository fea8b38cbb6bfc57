import type { Head } from '../../database/store.ts'
import type { CoordinatorError } from '../../errors.ts'
import type { StoredRecord } from '../../records/record.ts'

/** Records of an earlier time that may be served while the store cannot be reached. */
export interface StartSnapshot {
  /** What the store said when it last confirmed them. */
  readonly head: Head
  /** When that was, epoch milliseconds. */
  readonly confirmedAt: number
  /** All records. If it throws, none of them may be served. */
  pages(): AsyncIterable<readonly StoredRecord[]>
  /** It is served from now on. Called just before the first request can see it. */
  served(): void
  /** It cannot be served. */
  refused(why: CoordinatorError): void
}
