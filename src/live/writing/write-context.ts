/** Who writes, and under which conditions. Header texts as they were sent. */
export interface WriteContext {
  /** Who did it, as the journal keeps it. 1 to 256 characters. */
  readonly actor: string
  /** Makes the write repeatable: the same key with the same content answers the first result. */
  readonly idempotencyKey?: string
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
}
