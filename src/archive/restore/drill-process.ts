import { toCoordinatorError } from '../../errors.ts'
import { serveProcess } from '../../workers/serve-requests.ts'
import type { Destination } from '../destination/destination.ts'
import { openDestination } from '../destination/open-destination.ts'
import { readInventory } from '../inventory/inventory.ts'
import { planDrill, planRestore } from '../inventory/plan-restore.ts'
import { type DrillReport, drill, noteDrill } from './drill.ts'

/** What the process needs to reach the archive. It contains secrets, and therefore does not go through the environment. */
export interface DrillTask {
  readonly url: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** age identities. Empty: only the structure of encrypted files is checked. */
  readonly identities: readonly string[]
  /** @default the only history that no other one in the archive descends from */
  readonly lineage?: string
}

export interface NotedDrill extends DrillReport {
  /** Why the drill could not be noted in the archive. Absent if it was. */
  readonly noteFault?: string
}

/** The work of the process for drills. */
export class DrillWorker {
  /** @throws COORD_ARCHIVE_DAMAGED if the archive could not be restored, and what destinations throw */
  async drill({ url, env, identities, lineage }: DrillTask): Promise<NotedDrill> {
    const { signal } = new AbortController()
    const destination = openDestination({ url, env })
    try {
      const inventory = await readInventory(destination, { identities })
      const target = lineage === undefined ? {} : { lineage }
      const plan = (await planDrill(inventory, lineage)) ?? (await planRestore(inventory, target))
      const patience = { patienceMs: PATIENCE_MS, signal }
      const report = await drill(plan, { destination, identities, patience })
      return { ...report, ...(await noted(destination, report)) }
    } finally {
      await destination.close()
    }
  }
}

/** The result of a drill, which may not be written down where only reading is permitted. */
async function noted(destination: Destination, report: DrillReport): Promise<Pick<NotedDrill, 'noteFault'>> {
  try {
    await noteDrill(destination, report, Date.now())
    return {}
  } catch (thrown) {
    return { noteFault: toCoordinatorError(thrown).detail }
  }
}

/** How long a destination may be away. Milliseconds. */
const PATIENCE_MS = 30_000

serveProcess(new DrillWorker(), { fallback: 'COORD_INTERNAL' })
