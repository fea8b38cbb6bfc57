import type { Command } from 'commander'
import { isJsonObject } from '../records/canonical-json.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  writeResult,
} from './context/command-context.ts'
import { notCoordinator } from './context/coordinator-client.ts'
import { renderStatus } from './render-status.ts'

const examples = `
Ends with exit code 0 if the coordinator serves and its database answers, and with 1 if the coordinator is starting or degraded.

Examples:
  coordinator status
  coordinator status --url http://registry:3000 --json
`

/** `coordinator status`: the state of the coordinator and of its database. */
export function statusCommand(context: CommandContext): Command {
  return clientCommand('status', 'Show the state of the coordinator and of its database.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (options: ClientOptions) => {
      const client = clientOf(options, context.terminal)
      const health = await client.get('/health')
      if (!isJsonObject(health.body)) throw notCoordinator(client.baseUrl, health.status)
      // Before the first load the coordinator answers with 503, and with less.
      const database = await client.get('/database', { accept: (status) => status < 300 || status === 503 })
      const value = { url: client.baseUrl, health: health.body, database: database.body }
      writeResult(context, options, { value, text: renderStatus(value) })
      if (health.body['status'] !== 'ok') context.exit(1)
    })
}
