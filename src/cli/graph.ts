import { Command, InvalidArgumentError } from 'commander'
import { CoordinatorError } from '../errors.ts'
import { type ClientOptions, type CommandContext, clientCommand, clientOf } from './command-context.ts'
import { examplesOf } from './examples-of.ts'
import { graphExportCommand } from './graph-export.ts'
import {
  renderCritical,
  renderCycles,
  renderDiff,
  renderNeighbors,
  renderOrphans,
  renderPaths,
  renderReach,
  renderSimulation,
  renderUnresolved,
} from './render-graph.ts'

interface QuestionOptions extends ClientOptions {
  readonly json?: true
  readonly asOf?: string
  readonly type?: string
  readonly depth?: string
  readonly limit?: string
}

const examples = `
Examples:
  coordinator graph impact flagd                         what is hit when flagd fails
  coordinator graph dependencies checkout --depth 1      what checkout needs directly
  coordinator graph neighbors cart --type depends_on     what cart is tied to, and how
  coordinator graph path load-generator astronomy-db     how the one needs the other
  coordinator graph cycles --as-of 2026-01-31T12:00:00Z  which circles there were
  coordinator graph critical --limit 10                  what most others cannot do without
  coordinator graph unresolved                           what is needed and nobody registered
  coordinator graph orphans --type service               services that nothing is known of
  coordinator graph diff 120 140                         what changed, and who did it
  coordinator graph what-if --remove flagd               what would break; ends with 1 if anything would
  coordinator graph export --format dot | dot -Tsvg > graph.svg
`

/** `coordinator graph`: questions to the knowledge graph. */
export function graphCommand(context: CommandContext): Command {
  const graph = new Command('graph').description('Ask the knowledge graph.').addHelpText('after', examples)
  for (const command of [
    reachCommand(context, 'impact', 'What cannot do without a service or node: what is hit when it fails.'),
    reachCommand(context, 'dependencies', 'What a service or node cannot do without.'),
    neighborsCommand(context),
    pathCommand(context),
    listCommand(context, {
      name: 'cycles',
      about: 'Groups of nodes that need each other.',
      render: renderCycles,
    }),
    listCommand(context, { name: 'critical', about: 'Single points of failure.', render: renderCritical }),
    listCommand(context, {
      name: 'unresolved',
      about: 'What is needed and nobody states.',
      render: renderUnresolved,
    }),
    listCommand(context, { name: 'orphans', about: 'Nodes without any edge.', render: renderOrphans }),
    diffCommand(context),
    whatIfCommand(context),
    graphExportCommand(context),
  ])
    graph.addCommand(command.addHelpText('after', examplesOf(`graph ${command.name()}`, examples)))
  return graph
}

function questionCommand(name: string, about: string): Command {
  return clientCommand(name)
    .description(about)
    .option('--type <types>', 'only these types of nodes or edges, separated by commas')
    .option('--limit <count>', 'list at most so many')
    .option('--as-of <moment>', 'as it was at this revision or time')
    .option('--json', 'print JSON')
}

const nodeArgument = 'name of a service, or id of a node such as team:payments'

function reachCommand(context: CommandContext, name: 'impact' | 'dependencies', about: string): Command {
  return questionCommand(name, about)
    .argument('<node>', nodeArgument)
    .option('--depth <steps>', 'go only so far')
    .action((of: string, options: QuestionOptions) =>
      ask(context, {
        name,
        query: { of },
        options,
        render: (answer) => renderReach(name, answer, { type: options.type, depth: options.depth }),
      }),
    )
}

function neighborsCommand(context: CommandContext): Command {
  return questionCommand('neighbors', 'The nodes next to a service or node, and every edge to them.')
    .argument('<node>', nodeArgument)
    .action((of: string, options: QuestionOptions) =>
      ask(context, { name: 'neighbors', query: { of }, options, render: renderNeighbors }),
    )
}

function pathCommand(context: CommandContext): Command {
  return questionCommand('path', 'How one service or node needs another, the shortest ways first.')
    .argument('<from>', 'the one that needs')
    .argument('<to>', 'the one that is needed')
    .option('--depth <steps>', 'only ways of up to so many steps')
    .action((from: string, to: string, options: QuestionOptions) =>
      ask(context, {
        name: 'paths',
        query: { from, to },
        options,
        render: (answer) => renderPaths(answer, { type: options.type, depth: options.depth }),
      }),
    )
}

function listCommand(
  context: CommandContext,
  {
    name,
    about,
    render,
  }: { readonly name: string; readonly about: string; readonly render: (answer: never) => string },
): Command {
  return questionCommand(name, about).action((options: QuestionOptions) =>
    ask(context, { name, query: {}, options, render }),
  )
}

function diffCommand(context: CommandContext): Command {
  return clientCommand('diff')
    .description('What changed between two moments, and which commits did it.')
    .argument('<from>', 'the earlier moment: a revision, or a time such as 2026-01-31T12:00:00Z')
    .argument('[to]', 'the later moment (default: now)')
    .option('--limit <count>', 'list at most so many nodes and edges')
    .option('--json', 'print JSON')
    .action((from: string, to: string | undefined, options: QuestionOptions) =>
      ask(context, {
        name: 'diff',
        query: { from, ...(to === undefined ? {} : { to }) },
        options,
        render: renderDiff,
      }),
    )
}

interface WhatIfOptions extends ClientOptions {
  readonly json?: true
  readonly remove?: readonly string[]
  readonly version?: readonly ChangedVersion[]
}

interface ChangedVersion {
  readonly serviceName: string
  readonly version: string
}

function whatIfCommand(context: CommandContext): Command {
  return clientCommand('what-if')
    .description('What would break; ends with 1 where anything would.')
    .option(
      '--remove <service>',
      'a service goes, with all its instances; repeat it for several',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option(
      '--version <service=version>',
      'a service changes its version; repeat it for several',
      collectVersion,
    )
    .option('--json', 'print JSON')
    .action(async (options: WhatIfOptions) => {
      const { remove, version: changeVersion } = options
      // A pipeline whose variable is empty must not read "nothing would break".
      if (remove === undefined && changeVersion === undefined)
        throw new CoordinatorError('COORD_CLI_USAGE', {
          detail: 'Nothing is asked.',
          hint: 'Add `--remove SERVICE` or `--version SERVICE=VERSION`.',
        })
      const body = JSON.stringify({ remove, changeVersion })
      const { body: answer } = await clientOf(options, context.terminal).post(
        '/knowledge-graph/simulate',
        body,
      )
      const text = options.json === true ? `${JSON.stringify(answer)}\n` : renderSimulation(answer as never)
      context.terminal.stdout.write(text)
      if ((answer as { readonly safe?: boolean }).safe !== true) context.exit(1)
    })
}

function collectVersion(value: string, before: readonly ChangedVersion[] = []): readonly ChangedVersion[] {
  const split = value.lastIndexOf('=')
  if (split < 1) throw new InvalidArgumentError('Write it as service=version, such as cart=4.0.0.')
  return [...before, { serviceName: value.slice(0, split), version: value.slice(split + 1) }]
}

interface Asked {
  readonly name: string
  readonly query: Readonly<Record<string, string>>
  readonly options: QuestionOptions
  readonly render: (answer: never) => string
}

async function ask({ terminal }: CommandContext, { name, query, options, render }: Asked): Promise<void> {
  const { asOf, type, depth, limit } = options
  const given = Object.entries({ asOf, type, depth, limit }).filter(([, value]) => value !== undefined)
  const search = new URLSearchParams([...Object.entries(query), ...(given as [string, string][])])
  const { body } = await clientOf(options, terminal).get(`/knowledge-graph/${name}?${search}`)
  terminal.stdout.write(options.json === true ? `${JSON.stringify(body)}\n` : render(body as never))
}
