import { Command } from 'commander'
import { settingsTable } from '../config/table.ts'
import type { CommandContext } from './context/command-context.ts'
import { readOption } from './context/read-option.ts'

/** Runs a coordinator with this environment until it is told to stop. Resolves with the exit code. */
export type Serve = (env: Readonly<Record<string, string | undefined>>) => Promise<number>

interface ServeOptions {
  readonly host?: string
  readonly port?: string
}

const examples = `
Examples:
  coordinator serve                       in memory: a restart loses everything
  DATABASE_URL=sqlite:./data/coordinator.db coordinator serve
  coordinator serve --port 4000

Settings come from the environment (docs/settings.md), so that no password is in the list of processes.
SIGTERM and SIGINT let it finish its work first. A second signal stops it at once.
`

export function serveCommand({ terminal, exit }: CommandContext, serve: Serve): Command {
  return new Command('serve')
    .description('Start a coordinator.')
    .option('--host <address>', 'address to listen on (default: HOST, or 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for any free one (default: PORT, or 3000)')
    .addHelpText('after', examples)
    .action(async ({ host, port }: ServeOptions) => {
      if (host !== undefined) readOption('--host', settingsTable.server.host, host)
      if (port !== undefined) readOption('--port', settingsTable.server.port, port)
      exit(
        await serve({
          ...terminal.env,
          ...(host === undefined ? {} : { HOST: host }),
          ...(port === undefined ? {} : { PORT: port }),
        }),
      )
    })
}
