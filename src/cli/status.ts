import type { Command } from 'commander'
import { CoordinatorError, type ErrorCode } from '../errors.ts'
import { isJsonObject } from '../records/canonical-json.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { type Answer, notCoordinator } from './context/coordinator-client.ts'
import { membersOf, renderStatus } from './render-status.ts'

const examples = `
Ends with exit code 0 if the coordinator serves and its database answers, with 1 if it is starting or degraded, or its database
takes no writes, and with 77 if the caller may not see that. It shows what the caller may do, unless the coordinator refuses the
request altogether.

Examples:
  coordinator status
  coordinator status --verbose
  coordinator status --url http://registry:3000 --json
`

const refusals: readonly ErrorCode[] = ['COORD_SCOPE_MISSING', 'COORD_AUTH_REQUIRED']

/** `coordinator status`: the state of the coordinator and of its database. */
export function statusCommand(context: CommandContext): Command {
  return withOutput(clientCommand('status', 'Show the state of the coordinator and of its database.'))
    .option('-v, --verbose', 'also show everything that is known about the database; the same as -o wide')
    .addHelpText('after', examples)
    .action(async (options: ClientOptions & { readonly verbose?: true }) => {
      const client = clientOf(options, context.terminal)
      // A coordinator of an older version has no `/access`.
      const access = await client.get('/access', { accept: (status) => status < 300 || status === 404 })
      const health = await permitted(client.get('/health'))
      if (health !== undefined && !isJsonObject(health.body))
        throw notCoordinator(client.baseUrl, health.status)
      // Before the first load the coordinator answers with 503, and with less.
      const database = await permitted(
        client.get('/database', { accept: (status) => status < 300 || status === 503 }),
      )
      const value = {
        url: client.baseUrl,
        access: access.status === 404 ? null : access.body,
        health: health?.body ?? null,
        database: database?.body ?? null,
      }
      const text = (wide: boolean) => renderStatus(value, wide || options.verbose === true)
      writeResult(context, options, { value, text })
      if (health === undefined) context.exit(77)
      else if (membersOf(health.body)['status'] !== 'ok') context.exit(1)
    })
}

/**
 * Where requests without a credential may read, one that needs more is asked for a credential.
 *
 * @returns `undefined` if the caller may not see the answer
 */
function permitted(asked: Promise<Answer>): Promise<Answer | undefined> {
  return asked.catch((thrown) => {
    if (thrown instanceof CoordinatorError && refusals.includes(thrown.code)) return undefined
    throw thrown
  })
}
