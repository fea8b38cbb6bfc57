import { type Command, InvalidArgumentError } from 'commander'
import type { FieldChange, HistoryAnswer, HistoryEntry } from '../../registry/answers/answers.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  queryOf,
  withOutput,
  writeResult,
} from '../context/command-context.ts'
import type { CoordinatorClient } from '../context/coordinator-client.ts'
import { type NamespaceOptions, namespaceOf, namespaceOption } from '../context/namespace-option.ts'
import { authorText } from '../terminal/author-text.ts'
import { countOf, textTable } from '../terminal/text-table.ts'
import { idOfService } from './find-service.ts'

interface HistoryOptions extends ClientOptions, NamespaceOptions {
  readonly limit: number
}

const examples = `
The newest change comes first. A service that was deregistered is found by its id only.

Examples:
  coordinator history cart
  coordinator history cart --limit 5 -o wide      with the values before and after
`

/** `coordinator history`: when a service changed, by whom, and what. */
export function historyCommand(context: CommandContext): Command {
  return withOutput(clientCommand('history', 'Show when one service changed, by whom, and what.'))
    .argument('<service>', 'name or id of the service')
    .addOption(namespaceOption())
    .option('--limit <count>', 'the largest number of changes to show', readCount, 100)
    .addHelpText('after', examples)
    .action(async (given: string, options: HistoryOptions) => {
      const client = clientOf(options, context.terminal)
      const namespace = namespaceOf(options, context.terminal.env)
      const serviceId = await idOfService(client, { given, namespace }, context)
      const value = await readHistory(client, serviceId, options.limit)
      writeResult(context, options, { value, text: (wide) => render(value, wide) })
    })
}

/** The newest entries, from as many pages as they take. */
async function readHistory(
  client: CoordinatorClient,
  serviceId: string,
  limit: number,
): Promise<Omit<HistoryAnswer, 'next'>> {
  const entries: HistoryEntry[] = []
  let before: string | undefined
  for (;;) {
    const query = queryOf({ limit: String(Math.min(100, limit - entries.length)), before })
    const { body } = await client.get(`/services/${serviceId}/history?${query}`)
    const { next, complete, revision, ...page } = body as HistoryAnswer
    entries.push(...page.entries)
    if (next === undefined || entries.length >= limit || page.entries.length === 0)
      return { serviceId, entries, complete, revision }
    before = String(next)
  }
}

function render({ entries, complete }: Omit<HistoryAnswer, 'next'>, wide: boolean): string {
  const rows = entries.map(({ revision, at, action, changes, actor, unproven }) => [
    ...[String(revision), at, action],
    // A new service has every field.
    action === 'registered' && !wide ? '' : changesText(changes ?? [], wide),
    authorText(actor, unproven),
  ])
  const more = complete ? '' : ' Older ones exist, or are no longer kept.'
  return `${textTable([['REVISION', 'TIME', 'WHAT', 'FIELDS', 'BY'], ...rows])}${countOf(entries.length, 'change')}.${more}\n`
}

function changesText(changes: readonly FieldChange[], wide: boolean): string {
  return changes.map((change) => changeText(change, wide)).join(wide ? ', ' : ' ')
}

const marks = { added: '+', removed: '-', changed: '' } as const

function changeText({ field, change, before, after }: FieldChange, wide: boolean): string {
  const name = `${marks[change]}${field}`
  if (!wide) return name
  if (change === 'removed') return name
  const now = after === undefined ? '(large)' : JSON.stringify(after)
  if (change === 'added') return `${name} ${now}`
  return `${name} ${before === undefined ? '(large)' : JSON.stringify(before)} > ${now}`
}

function readCount(text: string): number {
  const count = Number(text)
  if (!/^\d{1,6}$/.test(text) || count < 1)
    throw new InvalidArgumentError('It must be a number, from 1 to 999999.')
  return count
}
