import { PROGRAM } from '../../src/access/principal.ts'
import type { WriteContext } from '../../src/live/writing/write-context.ts'

/** A write of somebody who may do everything. */
export function writtenBy(actor: string): WriteContext {
  return { actor, principal: PROGRAM }
}
