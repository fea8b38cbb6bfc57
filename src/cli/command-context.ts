import { Command } from 'commander'
import { readClientSettings } from '../config/settings.ts'
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
    'the coordinator to ask (default: COORDINATOR_URL, or http://127.0.0.1:3000)',
  )
}

/** @throws COORD_CLI_USAGE for a wrong `--url`, COORD_CONFIG_INVALID for a wrong COORDINATOR_URL */
export function clientOf({ url }: ClientOptions, { env }: Terminal): CoordinatorClient {
  if (url === undefined) return new CoordinatorClient(readClientSettings(env).coordinatorUrl)
  const { kind } = settingsTable.client.coordinatorUrl
  const parsed = kind.schema.safeParse(url)
  // The value is not repeated: it may hold a password.
  if (!parsed.success)
    throw new CoordinatorError('COORD_CLI_USAGE', {
      detail: `--url must be ${kind.label.replaceAll('`', '')}.`,
      hint: 'Write it as `--url http://127.0.0.1:3000`.',
    })
  return new CoordinatorClient(parsed.data)
}
