import { type Command, InvalidArgumentError } from 'commander'
import { CoordinatorError } from '../../errors.ts'
import type { SimulateAnswer } from '../../graph/simulate/simulate.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  collect,
  withOutput,
  writeResult,
} from '../context/command-context.ts'
import { type NamespaceOptions, namespaceOf, namespaceOption } from '../context/namespace-option.ts'
import { isServiceId } from '../context/service-id.ts'
import { type AtRevision, renderSimulation } from './render-graph.ts'

interface WhatIfOptions extends ClientOptions, NamespaceOptions {
  readonly remove?: readonly string[]
  readonly version?: readonly ChangedVersion[]
}

interface ChangedVersion {
  readonly serviceName: string
  readonly version: string
}

/** `coordinator graph what-if`: what a change would break. */
export function graphWhatIfCommand(context: CommandContext): Command {
  return withOutput(
    clientCommand('what-if', 'Tell what a change would break. Ends with 1 if anything would break.'),
  )
    .addOption(namespaceOption('where the names are looked for'))
    .option('--remove <service>', 'remove a service with all its instances; repeat it for several', collect)
    .option(
      '--version <service=version>',
      'change the version of a service; repeat it for several',
      collectVersion,
    )
    .action(async (options: WhatIfOptions) => {
      const { remove, version: changeVersion } = options
      // If a variable of a pipeline is empty, the pipeline must not read "nothing would break".
      if (remove === undefined && changeVersion === undefined)
        throw new CoordinatorError('COORD_CLI_USAGE', {
          detail: 'No change is given.',
          hint: 'Add `--remove SERVICE` or `--version SERVICE=VERSION`.',
        })
      const namespace = namespaceOf(options, context.terminal.env)
      const body = JSON.stringify({
        remove: remove?.map((name) =>
          namespace === undefined || isServiceId(name) ? name : { serviceName: name, namespace },
        ),
        changeVersion: changeVersion?.map((change) => ({ ...change, namespace })),
      })
      const answer = await clientOf(options, context.terminal).post('/knowledge-graph/simulate', body)
      const value = answer.body as SimulateAnswer & AtRevision
      writeResult(context, options, { value, text: renderSimulation(value) })
      if (value.safe !== true) context.exit(1)
    })
}

function collectVersion(value: string, before: readonly ChangedVersion[] = []): readonly ChangedVersion[] {
  const split = value.lastIndexOf('=')
  if (split < 1) throw new InvalidArgumentError('Write it as service=version, such as cart=4.0.0.')
  return [...before, { serviceName: value.slice(0, split), version: value.slice(split + 1) }]
}
