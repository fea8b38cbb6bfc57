import type { Command } from 'commander'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  withOutput,
  writeResult,
} from '../context/command-context.ts'
import { type NamespaceOptions, namespaceOf, namespaceOption } from '../context/namespace-option.ts'
import { printable } from '../terminal/text-table.ts'
import { idOfService } from './find-service.ts'

const examples = `
SERVICE is a name or an id. If several services have the name, the command lists them, removes none, and ends with 2.

Examples:
  coordinator deregister cart
  coordinator deregister cart --namespace shop
  coordinator deregister 6f2c1a3e-5d0b-5c1e-9a53-0f4f7f0b8c1d
`

/** `coordinator deregister`: removes one service. Its history stays. */
export function deregisterCommand(context: CommandContext): Command {
  return withOutput(clientCommand('deregister', 'Deregister one service. Its history stays.'))
    .argument('<service>', 'name or id of the service')
    .addOption(namespaceOption())
    .addHelpText('after', examples)
    .action(async (given: string, options: ClientOptions & NamespaceOptions) => {
      const client = clientOf(options, context.terminal)
      const namespace = namespaceOf(options, context.terminal.env)
      const serviceId = await idOfService(client, { given, namespace }, context)
      const { body } = await client.delete(`/services/${serviceId}`)
      const { success: _, ...value } = body as { readonly success: true; readonly revision: number }
      const name = given === serviceId ? given : `${given} (${serviceId})`
      const text = `Deregistered ${printable(name)} at revision ${value.revision}.\n`
      writeResult(context, options, { value, text })
    })
}
