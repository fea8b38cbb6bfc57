import type { Revision } from '../../records/record.ts'
import { historyLine, type Range, rangesOf } from './history-line.ts'
import type { Inventory, LineageInventory } from './inventory.ts'

/** A revision, and the time of its entry. */
export interface ArchivedMoment {
  readonly revision: Revision
  /** Epoch milliseconds. Absent if no identity opens the file that has it, or it is damaged. */
  readonly at?: number
}

/** Every moment from the first to the last one can be restored. */
export interface MomentRange {
  readonly from: ArchivedMoment
  readonly to: ArchivedMoment
}

/**
 * The moments of a history that can be restored, in order. Between two ranges, the archive lacks entries.
 *
 * @throws what destinations throw
 */
export async function momentsOf(inventory: Inventory, lineage: LineageInventory): Promise<MomentRange[]> {
  const ranges = rangesOf(await historyLine(inventory, lineage))
  const moments: MomentRange[] = []
  for (const range of ranges)
    moments.push({ from: await fromOf(inventory, range), to: await toOf(inventory, range) })
  return moments
}

async function fromOf({ files }: Inventory, { base }: Range): Promise<ArchivedMoment> {
  const [first] = base.files
  const at = first === undefined ? undefined : (await files.baseHeader(first))?.at
  return moment(base.revision, at)
}

async function toOf(inventory: Inventory, range: Range): Promise<ArchivedMoment> {
  const last = range.logs.at(-1)
  if (last === undefined) return fromOf(inventory, range)
  if (!last.isCut) return moment(range.to, (await inventory.files.logHeader(last.file))?.lastAt)
  const entries = await inventory.files.entries(last.file)
  return moment(range.to, entries?.find(({ revision }) => revision === range.to)?.at)
}

function moment(revision: Revision, at: number | undefined): ArchivedMoment {
  return at === undefined ? { revision } : { revision, at }
}
