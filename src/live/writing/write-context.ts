import { PROGRAM, type Principal } from '../../access/principal.ts'
import type { Precondition } from './preconditions.ts'

/** The author of a write and its condition. */
export interface WriteContext {
  /** The author of the change, as the journal keeps it. 1 to 256 characters. */
  readonly actor: string
  /** Who writes: what it may change, and whose idempotency keys are meant. */
  readonly principal: Principal
  /** Makes the write repeatable: the same key with the same content gets the first result. */
  readonly idempotencyKey?: string
  /** The condition about the record. @default none */
  readonly precondition?: Precondition
}

/** A write of a program that uses the library, and says nothing about who it is. */
export const BY_PROGRAM: WriteContext = { actor: 'library', principal: PROGRAM }
