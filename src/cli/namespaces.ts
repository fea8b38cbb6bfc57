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
      const namespaces: Namespace[] = []
      let revision: unknown
      for (let cursor: unknown = ''; typeof cursor === 'string'; ) {
        const { status, body } = await client.get(`/namespaces${cursor && `?cursor=${cursor}`}`)
        const page = (body ?? {}) as Readonly<Record<string, unknown>>
        if (!Array.isArray(page['namespaces'])) throw notCoordinator(client.baseUrl, status)
        namespaces.push(...page['namespaces'])
        revision ??= page['revision']
        // A proxy that answers from a cache could make the list endless.
        if (page['nextCursor'] === cursor) throw notCoordinator(client.baseUrl, status)
        cursor = page['nextCursor']
      }
      writeResult(context, options, {
        value: { namespaces, revision },
        text: render(namespaces, options.output === 'wide'),
      })
    })
}

/** `active` says something else than most people expect, as `status` does. */
function render(namespaces: readonly Namespace[], isWide: boolean): string {
  const columns = ['namespace', 'services', 'nodes', ...(isWide ? ['active'] : [])]
  const rows = namespaces.map((each) => columns.map((column) => String(each[column] ?? '')))
  return `${textTable([columns.map((column) => column.toUpperCase()), ...rows])}${countOf(rows.length, 'namespace')}\n`
}
