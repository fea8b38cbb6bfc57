import { Command } from 'commander'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  examplesOf,
  queryOf,
  splitOptions,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import {
  allNamespacesOption,
  type NamespaceOptions,
  namespaceOf,
  namespaceOption,
} from './context/namespace-option.ts'
import { graphExportCommand } from './graph/export.ts'
import {
  type Narrowed,
  renderCritical,
  renderCycles,
  renderDiff,
  renderNeighbors,
  renderOrphans,
  renderPaths,
  renderReach,
  renderUnresolved,
} from './graph/render-graph.ts'
import { graphWhatIfCommand } from './graph/what-if.ts'

const examples = `
Examples:
  coordinator graph impact flagd                         what needs flagd, directly or through others
  coordinator graph dependencies checkout --depth 1      what checkout needs directly
  coordinator graph neighbors cart --type depends_on     the neighbors of cart, and the edges to them
  coordinator graph path load-generator astronomy-db     how load-generator needs astronomy-db
  coordinator graph cycles --as-of 2026-01-31T12:00:00Z  the cycles of that time
  coordinator graph critical --limit 10                  the ten nodes that most others need
  coordinator graph unresolved                           dependencies that nobody has registered
  coordinator graph orphans --type service               services without any edge
  coordinator graph diff 120 140                         what changed, and who changed it
  coordinator graph what-if --remove flagd               what would break; ends with 1 if anything would break
  coordinator graph export --format dot | dot -Tsvg > graph.svg
`

/** A command that asks one question over HTTP. */
interface Question {
  readonly name: string
  readonly about: string
  /** The end of the URL. @default `name` */
  readonly path?: string
  /** Each argument as the help shows it, by its query parameter. */
  readonly takes?: Readonly<Record<string, readonly [argument: string, help: string]>>
  /** Describes the option `--depth`, if the question has it. */
  readonly depth?: string
  readonly render: (answer: never, narrowed: Narrowed) => string
}

const of = { of: ['<node>', 'name of a service, or id of a node such as team:payments'] } as const

const questions: readonly Question[] = [
  {
    name: 'impact',
    about: 'List what needs a service or node, directly or through others.',
    takes: of,
    depth: 'the number of steps to follow',
    render: (answer, narrowed) => renderReach('impact', answer, narrowed),
  },
  {
    name: 'dependencies',
    about: 'List what a service or node needs, directly or through others.',
    takes: of,
    depth: 'the number of steps to follow',
    render: (answer, narrowed) => renderReach('dependencies', answer, narrowed),
  },
  {
    name: 'neighbors',
    about: 'List the nodes next to a service or node, and every edge to them.',
    takes: of,
    render: renderNeighbors,
  },
  {
    name: 'path',
    about: 'Show how one service or node needs another, the shortest paths first.',
    path: 'paths',
    takes: { from: ['<from>', 'the one that needs'], to: ['<to>', 'the one that is needed'] },
    depth: 'the number of steps that a path may have',
    render: renderPaths,
  },
  { name: 'cycles', about: 'List groups of nodes that need each other.', render: renderCycles },
  { name: 'critical', about: 'List single points of failure.', render: renderCritical },
  { name: 'unresolved', about: 'List dependencies that nobody has registered.', render: renderUnresolved },
  { name: 'orphans', about: 'List nodes without any edge.', render: renderOrphans },
]

const diff: Question = {
  name: 'diff',
  about: 'Show what changed between two moments, and in which commits.',
  takes: {
    from: ['<from>', 'the earlier moment: a revision, or a time such as 2026-01-31T12:00:00Z'],
    to: ['[to]', 'the later moment (default: now)'],
  },
  render: renderDiff,
}

/** `coordinator graph`: questions to the knowledge graph. */
export function graphCommand(context: CommandContext): Command {
  const graph = new Command('graph').description('Ask the knowledge graph.').addHelpText('after', examples)
  for (const command of [
    ...questions.map((question) => narrowed(questionCommand(context, question), question)),
    questionCommand(context, diff),
    graphWhatIfCommand(context),
    graphExportCommand(context),
  ])
    graph.addCommand(command.addHelpText('after', examplesOf(`graph ${command.name()}`, examples)))
  return graph
}

function narrowed(command: Command, { takes }: Question): Command {
  return command
    .addOption(namespaceOption(takes === undefined ? undefined : 'where plain names are looked for'))
    .addOption(allNamespacesOption())
    .option('--type <types>', 'only these types of nodes or edges, separated by commas')
    .option('--as-of <moment>', 'as it was at this revision or time')
}

function questionCommand(context: CommandContext, question: Question): Command {
  const { name, about, path = name, takes = {}, depth, render } = question
  const command = withOutput(clientCommand(name, about))
  for (const argument of Object.values(takes)) command.argument(...argument)
  if (depth !== undefined) command.option('--depth <steps>', depth)
  return command.option('--limit <count>', 'the largest number of items to list').action(async () => {
    const options = command.opts<ClientOptions & NamespaceOptions & Narrowed>()
    // A difference between two moments is that of all namespaces.
    const namespace = question === diff ? undefined : namespaceOf(options, context.terminal.env)
    const { client, own } = splitOptions(options)
    const given = Object.fromEntries(
      Object.keys(takes).map((parameter, at) => [parameter, command.processedArgs[at]]),
    )
    const query = queryOf({ ...given, ...own, namespace })
    const { body } = await clientOf(client, context.terminal).get(`/knowledge-graph/${path}?${query}`)
    writeResult(context, client, { value: body, text: render(body as never, own) })
  })
}
