import { toCoordinatorError } from '../../errors.ts'
import { repeat } from '../../scheduling/backoff.ts'
import type { Destination } from '../destination/destination.ts'
import { readTrail } from '../inventory/trail.ts'
import type { DrillResult } from './backup-figures.ts'

const HOUR_MS = 3_600_000
/** How often it is looked whether a drill is due, in milliseconds. */
const LOOK_MS = 60_000

export interface DrillParts {
  readonly destination: Destination
  readonly drillHours: number
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** The lineage that is archived; `undefined` while there is none. */
  readonly lineage: () => string | undefined
  readonly drill: (lineage: string) => Promise<DrillResult>
  readonly drilled: (result: DrillResult) => void
}

/** Rehearses a restore again and again, from the first base on. While the destination is away, it waits for it. */
export async function repeatDrill(
  { destination, drillHours, clock, lineage, drill, drilled }: DrillParts,
  stop: AbortSignal,
  lookMs: number = LOOK_MS,
): Promise<void> {
  let last: { readonly at: number; readonly lineage: string } | undefined
  const look = async () => {
    const now = lineage()
    if (now === undefined) return
    const isOf = last?.lineage === now
    if (isOf && clock() - (last?.at ?? 0) < drillHours * HOUR_MS && clock() >= (last?.at ?? 0)) return
    try {
      const { bases } = await readTrail(destination, now, stop)
      if (!bases.some(({ isComplete }) => isComplete)) return
      const result = await drill(now)
      last = { at: clock(), lineage: now }
      if (!stop.aborted) drilled(result)
    } catch (thrown) {
      if (stop.aborted) return
      const { message, retryable } = toCoordinatorError(thrown)
      if (retryable) return
      last = { at: clock(), lineage: now }
      drilled({ ok: false, at: clock(), checked: 'structure', detail: message })
    }
  }
  await repeat(look, { firstMs: lookMs, intervalMs: lookMs }, stop)
}
