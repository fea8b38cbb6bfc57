import { Command } from 'commander'
import { describeDatabase } from '../config/database.ts'
import type { Kind } from '../config/setting.ts'
import { readClientSettings, type Settings } from '../config/settings.ts'
import { settingsTable } from '../config/table.ts'
import { CoordinatorError } from '../errors.ts'
import { CoordinatorClient } from './coordinator-client.ts'
import type { Terminal } from './terminal.ts'

/** What every command gets. */
export interface CommandContext {
  readonly terminal: Terminal
  /** Sets the exit code where a command ends without an error and yet not well. */
  readonly exit: (code: number) => void
}

export interface ClientOptions {
  readonly url?: string
}

/** A command that talks to a running coordinator. */
export function clientCommand(name: string): Command {
  return new Command(name).option(
    '--url <url>',
    'the coordinator to ask (default: COORDINATOR_URL, or http://127.0.0.1:PORT)',
  )
}

/**
 * Reads an option that stands for a setting: it takes what the setting takes. A wrong value is not repeated, since it may
 * hold a password.
 *
 * @throws COORD_CLI_USAGE for a value that is not allowed
 */
export function readOption<T>(option: string, { kind }: { readonly kind: Kind<T> }, value: string): T {
  const parsed = kind.schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: `${option} must be ${kind.label.replaceAll('`', '')}.`,
    hint: 'Run the command with --help.',
  })
}

/** Tells, beside the results, which database is meant, and what is doubtful: a misspelled variable names another one. */
export function announceDatabase({ stderr }: Terminal, { database, warnings }: Settings): void {
  stderr.write(`database: ${describeDatabase(database)}\n`)
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`)
}

/** @throws COORD_CLI_USAGE for a wrong `--url`, COORD_CONFIG_INVALID for a wrong COORDINATOR_URL */
export function clientOf({ url }: ClientOptions, { env }: Terminal): CoordinatorClient {
  const { coordinatorUrl } = settingsTable.client
  return new CoordinatorClient(
    url === undefined ? readClientSettings(env).coordinatorUrl : readOption('--url', coordinatorUrl, url),
  )
}
