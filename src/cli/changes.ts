import { once } from 'node:events'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { followChanges } from './changes/follow-changes.ts'
import { type ChangeEntry, changeLines, changesHead } from './changes/render-change.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  collect,
  isData,
  queryOf,
  withOutput,
} from './context/command-context.ts'
import { type CoordinatorClient, notCoordinator } from './context/coordinator-client.ts'
import {
  allNamespacesOption,
  type NamespaceOptions,
  namespaceOf,
  namespaceOption,
} from './context/namespace-option.ts'
import { printed } from './context/output.ts'
import { countOf, printable } from './terminal/text-table.ts'

interface ChangesOptions extends ClientOptions, NamespaceOptions {
  readonly after?: string
  readonly last: number
  readonly kind?: readonly string[]
  readonly name?: readonly string[]
  readonly follow?: true
}

const examples = `
With -o json each change is one line, whose "position" is a value for --after. With --follow the command goes on until Ctrl-C, and
connects again by itself.

Examples:
  coordinator changes                                  what the last 20 revisions changed
  coordinator changes --after 120 --name cart          everything about cart since revision 120
  coordinator changes --follow                         and what changes from now on
  coordinator changes --follow --last 0 -o json | jq .revision
`

/** `coordinator changes`: the journal, up to now or for ever. */
export function changesCommand(context: CommandContext): Command {
  return withOutput(clientCommand('changes', 'Show what changed, and by whom.'))
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .option('--last <count>', 'begin this many revisions ago', readCount, 20)
    .addOption(new Option('--after <position>', 'begin after this revision or position').conflicts('last'))
    .option('--kind <kind>', 'only service, node or edge; repeat it for several', collect)
    .option('--name <name>', 'only about this service or node; repeat it for several', collect)
    .option('-f, --follow', 'go on with new changes')
    .addHelpText('after', examples)
    .action((options: ChangesOptions) => showChanges(options, context))
}

async function showChanges(options: ChangesOptions, context: CommandContext): Promise<void> {
  const { terminal } = context
  const client = clientOf(options, terminal)
  const { kind, name, follow } = options
  const query = queryOf({ kind, name, namespace: namespaceOf(options, terminal.env) })
  const after = options.after ?? (await startOf(client, options.last))
  const entries =
    follow === true
      ? followChanges({
          ...{ client, query, after },
          onInterruption: (error) =>
            terminal.stderr.write(
              `${printable(`${error?.detail ?? 'The coordinator ended the stream.'} Trying again.`)}\n`,
            ),
        })
      : pagesOf(client, { query, after })
  let hasHead = isData(options)
  for await (const value of entries) {
    // Not before the first change: an error would stand below an empty table.
    if (!hasHead) terminal.stdout.write(changesHead)
    hasHead = true
    const text = (wide: boolean) => changeLines(value as ChangeEntry, wide)
    if (!terminal.stdout.write(printed(options, { value, text }))) await once(terminal.stdout, 'drain')
  }
  if (hasHead) return
  // Older changes may fit the filters.
  const where = options.after === undefined ? ` in the last ${countOf(options.last, 'revision')}` : ''
  terminal.stdout.write(`0 changes${where}\n`)
}

/** The position that lies this many revisions before the newest one, or the oldest position that is kept. */
async function startOf(client: CoordinatorClient, last: number): Promise<string> {
  const { status, body } = await client.get('/changes?limit=1')
  const { next, revision } = (body ?? {}) as { readonly next?: unknown; readonly revision?: unknown }
  if (typeof next !== 'string' || typeof revision !== 'number') throw notCoordinator(client.baseUrl, status)
  if (last === 0) return next
  const first = String(Math.max(0, revision - last))
  const asked = await client.get(`/changes?limit=1&after=${first}`, {
    accept: (given) => given < 300 || given === 410,
  })
  const { floor } = (asked.body ?? {}) as { readonly floor?: unknown }
  return asked.status === 410 && typeof floor === 'number' ? String(floor) : first
}

async function* pagesOf(
  client: CoordinatorClient,
  { query, after }: { readonly query: URLSearchParams; readonly after: string },
): AsyncGenerator<unknown> {
  for (let position = after; ; ) {
    const parameters = new URLSearchParams([...query, ['after', position], ['limit', '1000']])
    const { status, body } = await client.get(`/changes?${parameters}`)
    const { entries, next, more } = (body ?? {}) as {
      readonly entries?: unknown
      readonly next?: unknown
      readonly more?: unknown
    }
    if (!Array.isArray(entries) || typeof next !== 'string') throw notCoordinator(client.baseUrl, status)
    yield* entries
    if (more !== true || next === position) return
    position = next
  }
}

function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, such as 20.')
  return Number(text)
}
