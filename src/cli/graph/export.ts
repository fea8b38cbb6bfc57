import { once } from 'node:events'
import { type Command, Option } from 'commander'
import { FORMAT_NAMES } from '../../http/reading/graph-format.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  queryOf,
  splitOptions,
} from '../context/command-context.ts'
import {
  allNamespacesOption,
  type NamespaceOptions,
  namespaceOf,
  namespaceOption,
} from '../context/namespace-option.ts'

/** `coordinator graph export`: writes the graph, or a part of it, to standard output. */
export function graphExportCommand({ terminal }: CommandContext): Command {
  return clientCommand('export', 'Write the graph to standard output.')
    .addOption(new Option('--format <format>', 'how to write it').choices(FORMAT_NAMES).default('json'))
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .option('--type <types>', 'only these types of nodes or edges, separated by commas')
    .option('--tag <tag>', 'only services with this tag')
    .option('--around <node>', 'only a service or node, and the nodes around it')
    .option('--depth <steps>', 'how many steps around it (default: 1)')
    .option('--as-of <moment>', 'as it was at this revision or time')
    .action(async (options: ClientOptions & NamespaceOptions) => {
      const { client, own } = splitOptions(options)
      const namespace = namespaceOf(options, terminal.env)
      const path = `/knowledge-graph?${queryOf({ ...own, namespace })}`
      for await (const chunk of clientOf(client, terminal).download(path))
        if (!terminal.stdout.write(chunk)) await once(terminal.stdout, 'drain')
    })
}
