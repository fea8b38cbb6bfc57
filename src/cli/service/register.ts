import { type Command, InvalidArgumentError } from 'commander'
import { CoordinatorError } from '../../errors.ts'
import type { SimulateAnswer } from '../../graph/simulate/simulate.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import type { Warning } from '../../records/warning.ts'
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
import { type AtRevision, renderSimulation } from '../graph/render-graph.ts'
import { printable } from '../terminal/text-table.ts'
import { readRegistrationFile } from './read-registration-file.ts'

interface RegisterOptions extends ClientOptions, NamespaceOptions {
  readonly file?: string
  readonly version?: string
  readonly endpoint?: string
  readonly healthCheck?: string
  readonly description?: string
  readonly tag?: readonly string[]
  readonly capability?: readonly string[]
  readonly dependsOn?: readonly JsonObject[]
  readonly metadata?: JsonObject
  readonly instance?: string
  readonly ttl?: number
  readonly dryRun?: true
}

const examples = `
The fields come from the options, or from a file with one registration as JSON or YAML. An option wins over the file.
A registration replaces the earlier one of the same service: a field that you leave out gets its default.

Examples:
  coordinator register cart --version 1.4.0 --endpoint grpc://cart:7070
  coordinator register cart --version 1.4.0 --endpoint http://cart:8080 --tag shop --depends-on 'redis@^7' --ttl 30
  coordinator register --file cart.json --namespace shop
  coordinator get cart -o json | coordinator register --file - --url http://other:3000
  coordinator register cart --version 2.0.0 --endpoint http://cart:8080 --dry-run      what would break
`

/** `coordinator register`: registers one service. */
export function registerCommand(context: CommandContext): Command {
  return withOutput(clientCommand('register', 'Register one service.'))
    .argument('[name]', 'name under which others know the service')
    .option('-f, --file <path>', 'file with the registration, as JSON or YAML; - for standard input')
    .option('--version <version>', 'version that runs')
    .option('--endpoint <url>', 'where the service is reached, such as http://cart:8080')
    .option('--health-check <path>', 'path or URL that tells whether the service works')
    .option('--description <text>', 'what the service does')
    .option('--tag <tag>', 'a tag; repeat it for several', collect)
    .option('--capability <name>', 'what it can do for others; repeat it for several', collect)
    .option(
      '--depends-on <service[@range]>',
      'a service that it needs; repeat it for several',
      collectDependency,
    )
    .option('--metadata <key=value>', 'anything else, as text; repeat it for several', collectMember)
    .option('--instance <id>', 'names one of several instances; then version and endpoint may change')
    .option('--ttl <seconds>', 'the service expires without a heartbeat in this time', readSeconds)
    .addOption(namespaceOption('the namespace of the service'))
    .option('--dry-run', 'store nothing, and tell what the registration would break')
    .addHelpText('after', examples)
    .action((name: string | undefined, options: RegisterOptions) => register(name, options, context))
}

async function register(
  name: string | undefined,
  options: RegisterOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, exit } = context
  const client = clientOf(options, terminal)
  const registration = await registrationOf(name, options, context)
  const body = JSON.stringify(registration)
  const answer = await client.post(`/register${options.dryRun === true ? '?dryRun=true' : ''}`, body)
  const { success: _, ...value } = answer.body as Registered
  for (const { message, code } of value.warnings ?? [])
    terminal.stderr.write(printable(`warning: ${message} [${code}]`).concat('\n'))
  if (options.dryRun === true) {
    const simulated = value as unknown as SimulateAnswer & AtRevision
    writeResult(context, options, { value, text: renderSimulation(simulated) })
    if (simulated.safe !== true) exit(1)
  } else writeResult(context, options, { value, text: render(registration, value as Registered) })
}

interface Registered {
  readonly success?: true
  readonly serviceId: string
  readonly created: boolean
  readonly changed: boolean
  readonly revision: number
  readonly warnings?: readonly Warning[]
}

function render(registration: JsonObject, { serviceId, created, changed, revision }: Registered): string {
  const { serviceName, version, namespace } = registration
  const place = namespace === undefined ? '' : ` in the namespace ${namespace}`
  const what = created ? 'new' : changed ? 'changed' : 'as it was'
  return `${printable(`Registered ${serviceName} ${version}${place}: ${what}, at revision ${revision}, with the id ${serviceId}.`)}\n`
}

/** The body of the request: the file, and over it the options. */
async function registrationOf(
  name: string | undefined,
  options: RegisterOptions,
  { terminal }: CommandContext,
): Promise<JsonObject> {
  const { file, ttl } = options
  const stored = file === undefined ? {} : await readRegistrationFile(file, terminal.stdin)
  const namespace =
    options.namespace === undefined && typeof stored['namespace'] === 'string'
      ? stored['namespace']
      : namespaceOf(options, terminal.env)
  const given = {
    ...{ serviceName: name, version: options.version, endpoint: options.endpoint, namespace },
    ...{ healthCheck: options.healthCheck, description: options.description, tags: options.tag },
    ...{ capabilities: options.capability, dependencies: options.dependsOn, metadata: options.metadata },
    ...{ instanceId: options.instance, ttlSeconds: ttl },
  }
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  const registration = { ...stored, ...Object.fromEntries(present) } as JsonObject
  const lacks = Object.entries(requiredFields).filter(([field]) => registration[field] === undefined)
  if (lacks.length === 0) return registration
  throw new CoordinatorError('COORD_CLI_USAGE', {
    detail: `The registration lacks ${lacks.map(([, option]) => option).join(', ')}.`,
    hint: 'Run `coordinator register --help`.',
  })
}

const requiredFields = { serviceName: 'a name', version: '--version', endpoint: '--endpoint' }

/** `redis`, or `redis@^7`. A name may begin with `@`. */
function collectDependency(text: string, before: readonly JsonObject[] = []): readonly JsonObject[] {
  const split = text.lastIndexOf('@')
  const [serviceName, version] = split > 0 ? [text.slice(0, split), text.slice(split + 1)] : [text, undefined]
  if (serviceName === '' || version === '')
    throw new InvalidArgumentError('Write it as a name, or as name@range, such as redis@^7.')
  return [...before, version === undefined ? { serviceName } : { serviceName, version }]
}

function collectMember(pair: string, before: JsonObject = {}): JsonObject {
  const split = pair.indexOf('=')
  if (split < 1) throw new InvalidArgumentError('Write it as key=value, such as team=checkout.')
  return { ...before, [pair.slice(0, split)]: pair.slice(split + 1) }
}

function readSeconds(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of seconds.')
  return Number(text)
}
