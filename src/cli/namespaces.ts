import type { Command } from 'commander'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { notCoordinator } from './context/coordinator-client.ts'
import { countOf, textTable } from './terminal/text-table.ts'

const examples = `
Examples:
  coordinator namespaces
  coordinator services --namespace shop
`

type Namespace = Readonly<Record<string, unknown>>

/** `coordinator namespaces`: the namespaces, and what is in each. */
export function namespacesCommand(context: CommandContext): Command {
  return withOutput(clientCommand('namespaces', 'List the namespaces, and what is in each.'))
    .addHelpText('after', examples)
    .action(async (options: ClientOptions) => {
      const client = clientOf(options, context.terminal)
      const { status, body } = await client.get('/namespaces')
      const { namespaces, revision } = (body ?? {}) as { namespaces?: unknown; revision?: unknown }
      if (!Array.isArray(namespaces)) throw notCoordinator(client.baseUrl, status)
      writeResult(context, options, { value: { namespaces, revision }, text: render(namespaces) })
    })
}

function render(namespaces: readonly Namespace[]): string {
  const rows = namespaces.map(({ namespace, services, active, nodes }) =>
    [namespace, services, active, nodes].map((value) => (value === undefined ? '' : String(value))),
  )
  return `${textTable([['NAMESPACE', 'SERVICES', 'ACTIVE', 'NODES'], ...rows])}${countOf(rows.length, 'namespace')}\n`
}
