import { Command } from 'commander'
import { variableOf } from '../../config/given-text.ts'
import { readClientSettings } from '../../config/settings.ts'
import { settingsTable } from '../../config/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { CoordinatorClient } from './coordinator-client.ts'
import {
  type Credential,
  checkedCredential,
  readTokenFile,
  warnOfOpenFile,
  warnOfPlainHttp,
} from './credential.ts'
import type { NamespaceOptions } from './namespace-option.ts'
import type { OutputOptions } from './output.ts'
import { readOption } from './read-option.ts'

export { isData, type OutputOptions, withOutput, writeResult } from './output.ts'
export { readOption } from './read-option.ts'

/** The context of every command. */
export interface CommandContext {
  readonly terminal: Terminal
  /** Sets the exit code of a command that ends without an error but with a bad result. */
  readonly exit: (code: number) => void
}

export interface ClientOptions extends OutputOptions {
  readonly url?: string | undefined
  readonly tokenFile?: string | undefined
}

/** A command that talks to a running coordinator. */
export function clientCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--url <url>', 'address of the coordinator (default: COORDINATOR_URL, or http://127.0.0.1:PORT)')
    .option('--token-file <path>', 'file with the token to send (default: the token in COORDINATOR_TOKEN)')
}

/** Separates the options that all of these commands have, and those about namespaces, from those of one command. */
export function splitOptions<T extends ClientOptions & NamespaceOptions>(options: T) {
  const { url, tokenFile, output, json, namespace: _, allNamespaces: __, ...own } = options
  return { client: { url, tokenFile, output, json }, own }
}

/** Picks the examples of one command from those of its group, for the help of the command. */
export function examplesOf(command: string, examples: string): string {
  const lines = examples.split('\n').filter((line) => line.includes(`coordinator ${command}`))
  return ['', 'Examples:', ...lines, ''].join('\n')
}

/** Reads an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/**
 * @param command named in histories after the user. @default none
 * @throws COORD_CLI_USAGE for a wrong `--url`, COORD_CLI_FILE for a token file without a token, COORD_CONFIG_INVALID for a wrong variable
 */
export function clientOf(
  { url, tokenFile }: ClientOptions,
  terminal: Terminal,
  command?: string,
): CoordinatorClient {
  const { coordinatorUrl } = settingsTable.client
  const baseUrl =
    url === undefined
      ? readClientSettings(terminal.env).coordinatorUrl
      : readOption('--url', coordinatorUrl, url)
  const credential = credentialOf(tokenFile, terminal)
  if (credential !== undefined) warnOfPlainHttp(baseUrl, terminal)
  return new CoordinatorClient(baseUrl, credential, command)
}

/** The token to send. `--token-file` wins over the environment, like every option. */
function credentialOf(tokenFile: string | undefined, terminal: Terminal): Credential | undefined {
  if (tokenFile !== undefined) return readTokenFile(tokenFile, terminal)
  const { coordinatorToken } = readClientSettings(terminal.env)
  if (coordinatorToken === undefined) return undefined
  const variable = variableOf(settingsTable.client.coordinatorToken, terminal.env) ?? 'COORDINATOR_TOKEN'
  if (variable.endsWith('_FILE')) warnOfOpenFile(terminal.env[variable] ?? '', terminal)
  return checkedCredential(coordinatorToken.reveal(), variable, 'COORD_CONFIG_INVALID')
}

type QueryValue = string | readonly string[] | undefined

/** The query string for the given parameters. A list repeats its parameter. */
export function queryOf(parameters: Readonly<Record<string, QueryValue>>): URLSearchParams {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    [value ?? []].flat().map((item): [string, string] => [name, item]),
  )
  return new URLSearchParams(pairs)
}
