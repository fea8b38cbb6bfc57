import type { Destination } from '../../../src/archive/destination/destination.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import {
  type PlanOptions,
  planRestore,
  type RestoreTarget,
} from '../../../src/archive/inventory/plan-restore.ts'
import type { RestorePlan } from '../../../src/archive/inventory/restore-plan.ts'

export interface PlannedOptions extends PlanOptions {
  readonly identities?: readonly string[]
}

/** The plan for a moment of an archive. @param target @default the newest moment */
export async function planned(
  destination: Destination,
  target: RestoreTarget = {},
  { identities = [], ...options }: PlannedOptions = {},
): Promise<RestorePlan> {
  return planRestore(await readInventory(destination, { identities }), target, options)
}
