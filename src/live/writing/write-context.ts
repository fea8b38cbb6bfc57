import type { Precondition } from './preconditions.ts'

/** Who writes, and under which condition. */
export interface WriteContext {
  /** Who makes the change, as the journal keeps it. 1 to 256 characters. */
  readonly actor: string
  /** Makes the write repeatable: the same key with the same content gets the first result. */
  readonly idempotencyKey?: string
  /** What has to be true of the record. @default the write takes place whatever the record holds */
  readonly precondition?: Precondition
}
