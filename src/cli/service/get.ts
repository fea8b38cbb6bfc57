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
import { findService } from './find-service.ts'
import { serviceText } from './render-service.ts'

interface GetOptions extends ClientOptions, NamespaceOptions {
  readonly asOf?: string
}

const examples = `
SERVICE is a name or an id. If several services have the name, the command lists them and ends with 2.

Examples:
  coordinator get cart
  coordinator get cart --namespace shop -o wide
  coordinator get cart --as-of 2026-01-31T12:00:00Z
  coordinator get cart -o json | jq -r .endpoint
`

/** `coordinator get`: everything about one service. */
export function getCommand(context: CommandContext): Command {
  return withOutput(clientCommand('get', 'Show one service.'))
    .argument('<service>', 'name or id of the service')
    .addOption(namespaceOption())
    .option('--as-of <moment>', 'as it was at this revision or time')
    .addHelpText('after', examples)
    .action(async (given: string, options: GetOptions) => {
      const namespace = namespaceOf(options, context.terminal.env)
      const named = { given, namespace, asOf: options.asOf }
      const service = await findService(clientOf(options, context.terminal), named, context)
      writeResult(context, options, { value: service, text: (wide) => serviceText(service, wide) })
    })
}
