import type { Command } from 'commander'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { type CoordinatorClient, notCoordinator } from './context/coordinator-client.ts'
import { countOf, textTable } from './terminal/text-table.ts'

const examples = `
Examples:
  coordinator namespaces
  coordinator services --namespace shop
`

type Namespace = Readonly<Record<string, unknown>>

/** `coordinator namespaces`: the namespaces that have services, and how many. */
export function namespacesCommand(context: CommandContext): Command {
  return withOutput(clientCommand('namespaces', 'List the namespaces that have services, and how many.'))
    .addHelpText('after', examples)
    .action(async (options: ClientOptions) => {
      const client = clientOf(options, context.terminal)
      const value = await allPages(client)
      writeResult(context, options, { value, text: render(value.namespaces) })
    })
}

/** All pages, with the revision of the last one. */
async function allPages(client: CoordinatorClient): Promise<{ namespaces: Namespace[]; revision: unknown }> {
  const all: Namespace[] = []
  for (let after = ''; ; ) {
    const { status, body } = await client.get(`/namespaces${after && `?cursor=${after}`}`)
    const { namespaces, revision, nextCursor } = (body ?? {}) as Readonly<Record<string, unknown>>
    if (!Array.isArray(namespaces)) throw notCoordinator(client.baseUrl, status)
    all.push(...namespaces)
    if (typeof nextCursor !== 'string') return { namespaces: all, revision }
    // Names come in order: pages with a cursor that does not grow would never end.
    if (nextCursor <= after) throw notCoordinator(client.baseUrl, status)
    after = nextCursor
  }
}

function render(namespaces: readonly Namespace[]): string {
  const rows = namespaces.map(({ namespace, services, active }) => [namespace, services, active].map(String))
  return `${textTable([['NAMESPACE', 'SERVICES', 'ACTIVE'], ...rows])}${countOf(rows.length, 'namespace')}\n`
}
