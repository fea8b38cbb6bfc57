import { setTimeout as pause } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { CoordinatorError } from '../../errors.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  isData,
  withOutput,
  writeResult,
} from '../context/command-context.ts'
import type { CoordinatorClient } from '../context/coordinator-client.ts'
import { type NamespaceOptions, namespaceOf, namespaceOption } from '../context/namespace-option.ts'
import { mayPass } from '../context/passing-errors.ts'
import { readInterval } from '../context/read-interval.ts'
import { printable } from '../terminal/text-table.ts'
import { idOfService } from './find-service.ts'

interface HeartbeatOptions extends ClientOptions, NamespaceOptions {
  readonly status: 'up' | 'down'
  readonly every?: number
}

/** The answer to `PUT /services/ID/heartbeat`. */
interface Heartbeat {
  readonly serviceId: string
  readonly health: string
  readonly lastHeartbeat: string
  readonly ttlSeconds?: number
  readonly expiresAt?: string
}

const examples = `
With --every the command goes on until Ctrl-C, and also while the coordinator does not answer.

Examples:
  coordinator heartbeat cart
  coordinator heartbeat cart --status down
  coordinator heartbeat cart --every 10 &
`

/** `coordinator heartbeat`: tells that a service is alive, once or again and again. */
export function heartbeatCommand(context: CommandContext): Command {
  return withOutput(clientCommand('heartbeat', 'Tell that a service is alive.'))
    .argument('<service>', 'name or id of the service')
    .addOption(namespaceOption())
    .addOption(
      new Option('--status <status>', 'whether it can do its work').choices(['up', 'down']).default('up'),
    )
    .option('--every <seconds>', 'send one this often, until Ctrl-C', readInterval)
    .addHelpText('after', examples)
    .action((given: string, options: HeartbeatOptions) => sendHeartbeats(given, options, context))
}

async function sendHeartbeats(
  given: string,
  options: HeartbeatOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context
  const client = clientOf(options, terminal)
  const namespace = namespaceOf(options, terminal.env)
  const serviceId = await idOfService(client, { given, namespace }, context)
  const { every } = options
  const first = await send(client, serviceId, options.status)
  writeResult(context, options, { value: first, text: render(given, first) })
  if (every === undefined) return
  if (first.ttlSeconds !== undefined && every >= first.ttlSeconds)
    terminal.stderr.write(
      `warning: the service expires between heartbeats, because its ttlSeconds is ${first.ttlSeconds}.\n`,
    )
  let failing = false
  for (;;) {
    await pause(every * 1_000)
    try {
      const value = await send(client, serviceId, options.status)
      if (failing) terminal.stderr.write('heartbeats arrive again\n')
      failing = false
      if (isData(options)) writeResult(context, options, { value, text: '' })
    } catch (thrown) {
      if (!mayPass(thrown)) throw thrown
      if (!failing) terminal.stderr.write(`${printable(trying(thrown))}\n`)
      failing = true
    }
  }
}

function trying({ detail }: CoordinatorError): string {
  return `${detail} Trying again.`
}

async function send(client: CoordinatorClient, serviceId: string, status: string): Promise<Heartbeat> {
  const { body } = await client.put(`/services/${serviceId}/heartbeat`, JSON.stringify({ status }))
  const { success: _, ...heartbeat } = body as Heartbeat & { readonly success: true }
  return heartbeat
}

function render(given: string, { health, expiresAt }: Heartbeat): string {
  const end =
    expiresAt === undefined
      ? 'does not expire: it has no ttlSeconds'
      : `expires without another heartbeat at ${expiresAt}`
  return `${printable(`${given} is ${health}, and ${end}.`)}\n`
}
