import type { Command } from 'commander'
import type { Destination } from '../../archive/destination/destination.ts'
import { noteCheck } from '../../archive/inventory/checks.ts'
import { noFiles } from '../../archive/inventory/choose-lineage.ts'
import { readInventory } from '../../archive/inventory/inventory.ts'
import { type VerifyReport, verifyArchive } from '../../archive/restore/verify-archive.ts'
import { toCoordinatorError } from '../../errors.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { countOf, printable } from '../terminal/text-table.ts'
import { type ArchiveOptions, archiveCommand, notNoted, withArchive } from './open-archive.ts'
import { sizeText } from './sizes.ts'

const patienceMs = 60_000

/** `coordinator backup verify`: reads every file of the archive. */
export function backupVerifyCommand(context: CommandContext): Command {
  return archiveCommand('verify', 'Read every file of the archive, and name each that is damaged.').action(
    (options: ArchiveOptions) =>
      withArchive(options, context, async ({ destination, identities, signal }) => {
        const inventory = await readInventory(destination, { identities, signal })
        // A mistyped place has no bad file either, and whoever verifies by a timer would never notice.
        if (inventory.lineages.length === 0) throw noFiles()
        const patience = { patienceMs, signal }
        const report = await verifyArchive({ inventory, destination, identities, patience })
        writeResult(context, options, {
          value: { ok: isSound(report), ...report },
          text: renderVerify(report),
        })
        if (!isSound(report)) return context.exit(1)
        await note(report, { destination, context, signal })
      }),
  )
}

/** Notes the check in the archive, for each history that can be restored. */
async function note(
  { lineages, structure }: VerifyReport,
  {
    destination,
    context,
    signal,
  }: {
    readonly destination: Destination
    readonly context: CommandContext
    readonly signal: AbortSignal
  },
): Promise<void> {
  const checked = structure === 0 ? 'contents' : 'structure'
  try {
    for (const { lineage, revisions } of lineages) {
      const revision = revisions.at(-1)?.to
      if (revision === undefined) continue
      await noteCheck(destination, { at: Date.now(), lineage, revision, checked, by: 'verify' }, signal)
    }
  } catch (thrown) {
    context.terminal.stderr.write(notNoted(toCoordinatorError(thrown).detail))
  }
}

function isSound({ bad, contradictions }: VerifyReport): boolean {
  return bad.length === 0 && contradictions.length === 0
}

function renderVerify(report: VerifyReport): string {
  const { files, bytes, whole, structure, bad, spoilt, unfinished, strange, contradictions, lineages } =
    report
  const line = (text: string) => `${printable(text)}\n`
  const only =
    structure === 0
      ? ''
      : `Of ${countOf(structure, 'encrypted file')}, only the structure was checked: set BACKUP_IDENTITY_FILE to check the contents.\n`
  const spoiltText = spoilt === 0 ? '' : `, ${spoilt} in the same base as a bad one`
  return [
    ...bad.map(({ name, fault }) => line(`bad: ${fault.includes(name) ? fault : `${name}: ${fault}`}`)),
    ...contradictions.map(({ revision, files: two }) =>
      line(`contradiction: revision ${revision}: ${two.join(' and ')}`),
    ),
    ...unfinished.map((name) => line(`unfinished: ${name}`)),
    ...strange.map((name) => line(`of somebody else: ${name}`)),
    `Read ${countOf(files, 'file')} (${sizeText(bytes)}): ${whole} whole, ${bad.length} bad${spoiltText}.\n`,
    only,
    ...lineages.map(({ lineage, revisions }) => {
      const ranges = revisions.map(({ from, to }) => `${from} to ${to}`).join(', ')
      return line(
        `${lineage}: ${ranges === '' ? 'nothing can be restored' : `revisions ${ranges} can be restored`}.`,
      )
    }),
  ].join('')
}
