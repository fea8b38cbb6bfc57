import type { ArchivedFile } from '../destination/destination.ts'
import type { Inventory, LineageInventory } from './inventory.ts'
import type { ArchivedAccess } from './trail.ts'

/** How many files with tokens of each history are looked at: a stopped coordinator may have written the newest one from what it knew before. */
const NEWEST = 3

/**
 * The files with the newest tokens, of whatever moment, the newest file first: what was revoked stays revoked. Those of a history that
 * descends from this one count, too; those of one that left it elsewhere do not.
 *
 * @param excluded names of files that must not be used. @default none
 */
export function accessOf(
  { lineages }: Pick<Inventory, 'lineages'>,
  own: LineageInventory,
  excluded: ReadonlySet<string> = new Set(),
): readonly ArchivedFile[] {
  return lineages
    .filter(
      ({ lineage, ancestors }) =>
        lineage === own.lineage || own.ancestors.includes(lineage) || ancestors.includes(own.lineage),
    )
    .flatMap(({ trail }): readonly ArchivedAccess[] =>
      trail.access.filter(({ file }) => !excluded.has(file.name)).slice(-NEWEST),
    )
    .sort((left, right) => right.at - left.at)
    .map(({ file }) => file)
}
