import type { Command } from 'commander'
import { type Check, readChecks } from '../../archive/inventory/checks.ts'
import { type Inventory, type LineageInventory, readInventory } from '../../archive/inventory/inventory.ts'
import { type ArchivedMoment, type MomentRange, momentsOf } from '../../archive/inventory/moments.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { countOf, textTable } from '../terminal/text-table.ts'
import { type ArchiveOptions, archiveCommand, withArchive } from './open-archive.ts'
import { sizeText, timeText } from './sizes.ts'

/** `coordinator backup list`: the moments that can be restored. */
export function backupListCommand(context: CommandContext): Command {
  return archiveCommand('list', 'List the moments that can be restored.').action((options: ArchiveOptions) =>
    withArchive(options, context, async ({ destination, identities, signal }) => {
      const inventory = await readInventory(destination, { identities, signal })
      const checks = await readChecks(destination, signal)
      const lineages: ListedLineage[] = []
      for (const lineage of inventory.lineages)
        lineages.push({
          lineage,
          moments: await momentsOf(inventory, lineage),
          check: checks.get(lineage.lineage),
        })
      writeResult(context, options, {
        value: listValue(inventory, lineages),
        text: (wide) => renderList(inventory, lineages, wide),
      })
    }),
  )
}

interface ListedLineage {
  readonly lineage: LineageInventory
  readonly moments: readonly MomentRange[]
  /** The newest one that found nothing bad. */
  readonly check: Check | undefined
}

function listValue({ strange, bytes }: Inventory, lineages: readonly ListedLineage[]) {
  const moment = ({ revision, at }: ArchivedMoment) => ({
    revision,
    at: at === undefined ? null : timeText(at),
  })
  return {
    lineages: lineages.map(
      ({ lineage: { lineage, ancestors, trail, bytes: size, contradictions }, moments, check }) => ({
        ...{ lineage, ancestors },
        moments: moments.map(({ from, to }) => ({ from: moment(from), to: moment(to) })),
        bases: trail.bases.map(({ revision, isComplete }) => ({ revision, isComplete })),
        logs: trail.logs.length,
        bytes: size,
        contradictions: contradictions.map(({ revision }) => revision),
        verified: check === undefined ? null : { ...check, at: timeText(check.at) },
      }),
    ),
    strange: strange.map(({ name }) => name),
    bytes,
  }
}

function renderList(
  { strange, bytes, files }: Inventory,
  lineages: readonly ListedLineage[],
  wide: boolean,
): string {
  if (lineages.length === 0)
    return 'The archive has no backups. Check BACKUP_URL or --from, if a coordinator archives there.\n'
  const head = [
    'HISTORY',
    'FROM',
    'TO',
    'REVISIONS',
    'BASES',
    'SIZE',
    'VERIFIED',
    ...(wide ? ['ANCESTORS'] : []),
  ]
  const damaged = [...files.faults].filter(([, { code }]) => code === 'COORD_ARCHIVE_DAMAGED')
  const unknown = damaged.length === 0 ? 'encrypted' : 'unknown'
  const rows = lineages.flatMap((listed) => rowsOf(listed, { wide, unknown }))
  const bad = damaged.map(([name]) => `The file ${name} is damaged. Run \`coordinator backup verify\`.\n`)
  const faults = lineages.flatMap(({ lineage }) =>
    lineage.contradictions.map(
      ({ revision }) =>
        `Two databases wrote revision ${revision} of ${lineage.lineage}. Run \`coordinator backup verify\`.\n`,
    ),
  )
  const gaps = lineages
    .filter(({ moments }) => moments.length > 1)
    .map(({ lineage }) => `Between the lines of ${lineage.lineage}, the archive lacks revisions.\n`)
  const others = strange.length === 0 ? '' : `${countOf(strange.length, 'file')} of somebody else.\n`
  return `${textTable([head, ...rows])}${bad.join('')}${faults.join('')}${gaps.join('')}${others}Together ${sizeText(bytes)}.\n`
}

function rowsOf(
  { lineage: { lineage, ancestors, trail, bytes }, moments, check }: ListedLineage,
  { wide, unknown }: { readonly wide: boolean; readonly unknown: string },
): string[][] {
  const bases = String(trail.bases.filter(({ isComplete }) => isComplete).length)
  const rest = [bases, sizeText(bytes), verified(check), ...(wide ? [ancestors.join(' ') || '-'] : [])]
  if (moments.length === 0) return [[lineage, 'nothing: no complete base', '', '', ...rest]]
  return moments.map(({ from, to }, index) => [
    index === 0 ? lineage : '',
    from.at === undefined ? unknown : timeText(from.at),
    to.at === undefined ? unknown : timeText(to.at),
    from.revision === to.revision ? String(from.revision) : `${from.revision} to ${to.revision}`,
    ...(index === 0 ? rest : []),
  ])
}

function verified(check: Check | undefined): string {
  if (check === undefined) return 'never'
  const what = check.checked === 'contents' ? '' : ', structure only'
  return `${timeText(check.at)}, up to ${check.revision}${what}`
}
