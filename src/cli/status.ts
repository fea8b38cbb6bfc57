import type { Command } from 'commander'
import { isJsonObject } from '../records/canonical-json.ts'
import { type ClientOptions, type CommandContext, clientCommand, clientOf } from './command-context.ts'
import { notCoordinator } from './coordinator-client.ts'
import { renderStatus } from './render-status.ts'

interface StatusOptions extends ClientOptions {
  readonly json?: true
}

const examples = `
Ends with exit code 0 where the coordinator serves and its database answers, with 1 where it is starting or degraded.

Examples:
  coordinator status
  coordinator status --url http://registry:3000 --json
`

/** `coordinator status`: what the coordinator and its database do. */
export function statusCommand(context: CommandContext): Command {
  return clientCommand('status')
    .description('Show the state of the coordinator and of its database.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (options: StatusOptions) => {
      const { terminal, exit } = context
      const client = clientOf(options, terminal)
      const health = await client.get('/health')
      if (!isJsonObject(health.body)) throw notCoordinator(client.baseUrl, health.status)
      // Before the first load it has less to tell, and tells that with 503.
      const database = await client.get('/database', { accept: (status) => status < 300 || status === 503 })
      const found = { url: client.baseUrl, health: health.body, database: database.body }
      terminal.stdout.write(options.json === true ? `${JSON.stringify(found)}\n` : renderStatus(found))
      if (health.body['status'] !== 'ok') exit(1)
    })
}
