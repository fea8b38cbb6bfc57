import { CoordinatorError } from '../../errors.ts'
import { quoted } from '../../text/quoted.ts'
import { historyLine } from './history-line.ts'
import { filesOf, type Inventory, type LineageInventory } from './inventory.ts'

/**
 * The history that is restored: the one with this lineage, or else the only one that no other one in the archive descends from.
 *
 * @throws COORD_ARCHIVE_EMPTY, COORD_ARCHIVE_SEVERAL; COORD_ARCHIVE_NO_IDENTITY if that cannot be known without one
 */
export async function chooseLineage(inventory: Inventory, lineage?: string): Promise<LineageInventory> {
  const { lineages } = inventory
  if (lineage !== undefined) {
    const found = lineages.find((each) => each.lineage === lineage)
    if (found !== undefined) return found
    throw new CoordinatorError('COORD_ARCHIVE_EMPTY', {
      detail: `The archive has no history with the lineage ${quoted(lineage, 64)}.`,
    })
  }
  const restorable: LineageInventory[] = []
  for (const each of lineages) {
    // A history that has only just begun may have no base yet.
    const { bases } = await historyLine(inventory, each)
    if (bases.length > 0) restorable.push(each)
  }
  const newest = restorable.filter(
    ({ lineage: own }) => !restorable.some(({ ancestors }) => ancestors.includes(own)),
  )
  const [only] = newest
  if (only === undefined && lineages.length === 0) throw noFiles()
  if (only === undefined)
    throw new CoordinatorError('COORD_ARCHIVE_EMPTY', { detail: 'The archive has no complete base.' })
  if (newest.length > 1) {
    // Without an identity, nobody knows which one descends from which.
    const [closed] = newest.filter(({ isReadable }) => !isReadable)
    const fault = closed === undefined ? undefined : faultOf(inventory, closed)
    if (fault?.code === 'COORD_ARCHIVE_NO_IDENTITY') throw fault
    throw new CoordinatorError('COORD_ARCHIVE_SEVERAL', {
      detail: `None of these descends from another: ${newest.map((each) => each.lineage).join(', ')}.`,
      extra: { lineages: newest.map((each) => each.lineage) },
    })
  }
  return only
}

/** Nobody has archived anything there: the place was probably mistyped. */
export function noFiles(): CoordinatorError {
  return new CoordinatorError('COORD_ARCHIVE_EMPTY', {
    detail: 'The archive has no files.',
    hint: 'Check the folder, or the bucket and its prefix, in BACKUP_URL or --from: no coordinator has archived anything there.',
  })
}

function faultOf({ files }: Inventory, { trail }: LineageInventory): CoordinatorError | undefined {
  const names = new Set(filesOf(trail).map(({ name }) => name))
  return [...files.faults].find(([name]) => names.has(name))?.[1]
}
