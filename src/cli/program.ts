import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { CoordinatorError } from '../errors.ts'
import { helpCommand } from './help.ts'
import { type Serve, serveCommand } from './serve.ts'
import { reportError } from './terminal/report-error.ts'
import type { Terminal } from './terminal/terminal.ts'

export interface ProgramOptions {
  readonly terminal: Terminal
  /** Runs a coordinator until it is told to stop. */
  readonly serve: Serve
}

const overview = `
Examples:
  coordinator serve                                 in memory, on http://127.0.0.1:3000
  DATABASE_URL=sqlite:./data/coordinator.db coordinator serve
  coordinator register cart --version 1.4.0 --endpoint http://cart:8080
  coordinator import services.json                  register many services
  coordinator export --file records.jsonl           write everything, for import
  coordinator services --tag payments               list services
  coordinator get cart                              show one service
  coordinator changes --follow                      show what changes, until Ctrl-C
  coordinator graph impact flagd                    list what needs flagd
  coordinator status                                show what the coordinator and its database do
  coordinator token create ci --scope read          create a token for a client
  coordinator doctor                                examine the configured database
  coordinator backup list                           list the moments that can be restored
  coordinator restore                               restore one of them into an empty database

Settings come from the environment. docs/settings.md lists them all.
A token is never an argument: set COORDINATOR_TOKEN, or give --token-file.
Commands that print data take -o json, -o yaml and -o wide. docs/commands.md describes them all.
Exit codes: 0 done, 1 failed, 2 wrong usage, 69 unreachable, 74 file or disk, 77 not permitted, 78 configuration,
130 Ctrl-C.
`

/**
 * Runs one command.
 *
 * @param args the arguments after the name of the program
 * @returns the exit code
 */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<number> {
  const { terminal } = options
  let exitCode = 0
  const program = await createProgram(args, options, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (thrown) {
    // Commander throws help and version with code 0. It has already written errors about wrong usage to stderr.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    reportError(thrown, terminal)
    return thrown instanceof CoordinatorError ? thrown.exitCode : 1
  }
}

async function createProgram(
  args: readonly string[],
  { terminal, serve }: ProgramOptions,
  exit: (code: number) => void,
): Promise<Command> {
  const program = new Command('coordinator')
    .description('A service registry and knowledge graph, in memory or in your database.')
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('Next: run the command with --help.')
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => write(`coordinator: ${text.replace(/^error: /, '')}`),
    })
    // In `services --version '^3'`, the option is a filter, and does not ask for the version of the program.
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText('after', overview)
  const context = { terminal, exit }
  program.addCommand(inherit(serveCommand(context, serve), program))
  // A coordinator runs for months, and does not need the other commands, which take about 10 MiB.
  if (args[0] !== 'serve') {
    const { commandsOf } = await import('./commands.ts')
    for (const { command, hidden } of commandsOf(context, program))
      program.addCommand(inherit(command, program), { hidden })
  }
  return withHelpCommand(program)
}

/** Gives a command the settings of its parent. Commander does this only for commands that it creates itself. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inherit(child, command)
  return command.commands.length === 0 ? command : withHelpCommand(command)
}

function withHelpCommand(parent: Command): Command {
  return parent.helpCommand(false).addCommand(inherit(helpCommand(parent), parent))
}
