import { Command } from 'commander'
import type { MoveContext } from '../../archive/move/move-context.ts'
import { describeDatabase } from '../../config/database.ts'
import { readSettings, type Settings } from '../../config/settings.ts'
import { makeStore } from '../../database/open.ts'
import type { Store } from '../../database/store.ts'
import { CoordinatorError } from '../../errors.ts'
import { type CommandContext, type OutputOptions, withOutput } from '../context/command-context.ts'
import { withEnvFile } from '../context/env-file.ts'
import { readSharedStore } from '../context/with-store.ts'
import { Interruption, interruptible } from '../terminal/interruption.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { showMove } from './show-move.ts'

/** How long a database that cannot be reached is waited for, in milliseconds. */
const PATIENCE_MS = 60_000

export interface TwoStoresOptions extends OutputOptions {
  readonly from: string
  readonly to: string
}

/** A command that works with two databases, each named by a file of settings. */
export function twoStoresCommand(name: string, description: string): Command {
  return withOutput(new Command(name))
    .description(description)
    .requiredOption('--from <file>', 'file with the settings of the old database, such as DATABASE_URL=...')
    .requiredOption('--to <file>', 'file with the settings of the new database')
}

/** The two databases in words, without secrets. */
export interface NamedStores {
  readonly from: string
  readonly to: string
}

/**
 * Runs `work` with the stores of two files of settings, both open, and closes them. Prints on stderr which databases those are.
 *
 * @returns `undefined` if Ctrl-C ended the work; that was said then
 * @param options `opensTarget`: whether the new database is opened before. @default true
 * @throws COORD_CLI_USAGE if a file names memory, or both name one database
 */
export async function withTwoStores<Result>(
  { terminal, exit }: CommandContext,
  options: TwoStoresOptions & { readonly opensTarget?: boolean },
  work: (context: MoveContext, names: NamedStores) => Promise<Result>,
): Promise<Result | undefined> {
  const settings = { from: settingsOf(options.from, terminal), to: settingsOf(options.to, terminal) }
  const names = { from: nameOf(settings.from), to: nameOf(settings.to) }
  if (names.from === names.to)
    throw new CoordinatorError('COORD_CLI_USAGE', {
      detail: `Both files name the same database: ${names.from}.`,
      hint: 'Give the old database as --from, and the new one as --to.',
    })
  const { stderr } = terminal
  for (const [which, { warnings }] of Object.entries(settings)) {
    stderr.write(`${which}: ${names[which as keyof NamedStores]}\n`)
    for (const warning of warnings) stderr.write(`warning: ${warning}\n`)
  }
  await using stores = new OpenStores()
  return await interruptible(async (signal) => {
    const progress = showMove(terminal)
    const patience = { patienceMs: PATIENCE_MS, signal }
    try {
      const from = await stores.make(settings.from, 'from')
      const to = await stores.make(settings.to, 'to')
      await from.open()
      if (options.opensTarget !== false) await to.open()
      return await work({ from, to, patience, onProgress: (step) => progress.update(step) }, names)
    } catch (thrown) {
      if (!signal.aborted || thrown !== signal.reason || !(thrown instanceof Interruption)) throw thrown
      stderr.write('Interrupted. Run the same command again: it goes on.\n')
      exit(thrown.exitCode)
      return undefined
    } finally {
      progress.stop()
    }
  })
}

/** Only a new target is given its schema: a mistyped path of the source must not create a database. */
function settingsOf(path: string, { env }: Terminal): Settings {
  const own = withEnvFile(path, env)
  const shared = readSharedStore(own)
  return { ...shared, autoMigrate: readSettings({ ...own, HOST: undefined }).autoMigrate }
}

function nameOf({ database, databaseSchema }: Settings): string {
  const name = describeDatabase(database)
  return database.backend === 'sqlite' ? name : `${name}, schema ${databaseSchema}`
}

class OpenStores {
  readonly #stores: Store[] = []

  async make(settings: Settings, which: 'from' | 'to'): Promise<Store> {
    const store = await makeStore(which === 'from' ? { ...settings, autoMigrate: false } : settings)
    this.#stores.push(store)
    return store
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()))
  }
}
