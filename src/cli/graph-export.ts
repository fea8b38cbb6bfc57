import { once } from 'node:events'
import { type Command, Option } from 'commander'
import { FORMAT_NAMES } from '../http/reading/graph-format.ts'
import { type ClientOptions, type CommandContext, clientCommand, clientOf } from './command-context.ts'

interface ExportOptions extends ClientOptions {
  readonly format: string
  readonly type?: string
  readonly tag?: string
  readonly around?: string
  readonly depth?: string
  readonly asOf?: string
}

/** `coordinator graph export`: writes the graph, or a part of it, to standard output. */
export function graphExportCommand({ terminal }: CommandContext): Command {
  return clientCommand('export')
    .description('Write the graph to standard output.')
    .addOption(new Option('--format <format>', 'how to write it').choices(FORMAT_NAMES).default('json'))
    .option('--type <types>', 'only these types of nodes or edges, separated by commas')
    .option('--tag <tag>', 'only services with this tag')
    .option('--around <node>', 'only the surroundings of a service or node')
    .option('--depth <steps>', 'how far the surroundings go (default: 1)')
    .option('--as-of <moment>', 'as it was at this revision or time')
    .action(async (options: ExportOptions) => {
      const { url: _, ...wanted } = options
      const given = Object.entries(wanted).filter(([, value]) => value !== undefined)
      const search = new URLSearchParams(given as [string, string][])
      for await (const chunk of clientOf(options, terminal).download(`/knowledge-graph?${search}`))
        if (!terminal.stdout.write(chunk)) await once(terminal.stdout, 'drain')
    })
}
