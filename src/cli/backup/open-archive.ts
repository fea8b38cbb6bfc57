import { Command, Option } from 'commander'
import type { Destination } from '../../archive/destination/destination.ts'
import { openDestination } from '../../archive/destination/open-destination.ts'
import { readIdentityFile } from '../../archive/format/identities.ts'
import { type BackupSettings, destinationEnvironment } from '../../config/backup-settings.ts'
import type { Environment } from '../../config/given-text.ts'
import { readBackupSettings } from '../../config/settings.ts'
import { settingsTable } from '../../config/table.ts'
import { CoordinatorError } from '../../errors.ts'
import type { CommandContext } from '../context/command-context.ts'
import { withEnvFile } from '../context/env-file.ts'
import { type OutputOptions, withOutput } from '../context/output.ts'
import { readOption } from '../context/read-option.ts'
import { Interruption, interruptible } from '../terminal/interruption.ts'
import { printable } from '../terminal/text-table.ts'

export interface ArchiveOptions extends OutputOptions {
  readonly from?: string
  readonly envFile?: string
  readonly lineage?: string
}

/** An archive that a command works with. */
export interface OpenArchive {
  readonly destination: Destination
  /** age identities, from BACKUP_IDENTITY_FILE. */
  readonly identities: readonly string[]
  readonly settings: BackupSettings
  /** The environment, with the variables of `--env-file`. */
  readonly env: Environment
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

/** A command that works with an archive, and needs no coordinator. */
export function archiveCommand(name: string, description: string): Command {
  return withOutput(new Command(name))
    .description(description)
    .option('--from <url>', 'the archive, such as file:///srv/backup (default: BACKUP_URL)')
    .option('--env-file <file>', 'file with settings, one NAME=value a line; they win over the environment')
}

export function lineageOption(): Option {
  return new Option('--lineage <lineage>', 'the history that is meant, where the archive has several')
}

/**
 * Runs `work` with the archive of `--from` or BACKUP_URL. Prints on stderr which one that is. SIGINT and SIGTERM end it in order.
 *
 * @param whenInterrupted what to tell then
 * @throws COORD_CLI_USAGE if none is named, or a URL has a password in it: other users of the machine see the arguments of a command
 */
export async function withArchive(
  options: ArchiveOptions,
  { terminal, exit }: CommandContext,
  work: (archive: OpenArchive) => Promise<void>,
  whenInterrupted = 'Interrupted.',
): Promise<void> {
  const { stderr } = terminal
  const read = options.envFile === undefined ? terminal.env : withEnvFile(options.envFile, terminal.env)
  const from = options.from && readOption('--from', settingsTable.backup.backupUrl, options.from)
  const env = from === undefined ? read : { ...read, BACKUP_URL: from }
  const settings = readBackupSettings(env)
  const { backupUrl: url, backupIdentityFile: file } = settings
  if (url === undefined) throw noArchive()
  const destination = openDestination({ url, env: destinationEnvironment(settings) })
  const interruption = await interruptible(async (signal) => {
    try {
      stderr.write(`archive: ${destination.shownUrl}\n`)
      const identities = file === undefined ? [] : readIdentityFile(file)
      await work({ destination, identities, settings, env, signal })
      return undefined
    } catch (thrown) {
      if (signal.aborted && signal.reason instanceof Interruption) return signal.reason
      throw thrown
    } finally {
      await destination.close()
    }
  })
  if (interruption === undefined) return
  stderr.write(`${whenInterrupted}\n`)
  exit(interruption.exitCode)
}

function noArchive(): CoordinatorError {
  return new CoordinatorError('COORD_CLI_USAGE', {
    detail: 'No archive is named.',
    hint: 'Set BACKUP_URL, or give --from, such as --from file:///srv/backup.',
  })
}

/** A warning, for a check that `backup list` will not show. */
export function notNoted(fault: string): string {
  return `warning: the archive does not note this check, because it cannot be written: ${printable(fault)}\n`
}
