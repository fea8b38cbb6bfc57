import { type Command, InvalidArgumentError, Option } from 'commander'
import { CoordinatorError } from '../errors.ts'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  isData,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { type NamespaceOptions, namespaceOf } from './context/namespace-option.ts'
import type { FormatName } from './formats/reading/format-reading.ts'
import { importItems } from './import/import-items.ts'
import { changesTable, resultOf, summaryOf } from './import/outcome.ts'
import { createProgress } from './import/progress.ts'
import { IMPORT_COMMAND } from './import/prune.ts'
import { FILE_FORMATS, type FormatReader } from './import/read-items.ts'
import { rehearse } from './import/rehearse.ts'
import { Report } from './import/report.ts'
import { checkedSource, sourceOfFile } from './import/source.ts'
import { interruptible } from './terminal/interruption.ts'
import type { Terminal } from './terminal/terminal.ts'
import { countOf, printable } from './terminal/text-table.ts'

interface ImportOptions extends ClientOptions, NamespaceOptions {
  readonly patience: number
  readonly format?: FormatName
  readonly source?: string
  readonly prune?: true
  readonly force?: true
  readonly dryRun?: true
}

const examples = `
FILE is a JSON array of registrations, one registration, an answer of \`GET /services\`, JSON Lines (one registration a
line, any number of lines), what \`coordinator export\` or \`GET /snapshot\` wrote, a Docker Compose file, Kubernetes
manifests, or a Backstage catalog. \`-\` reads from standard input. COORDINATOR_NAMESPACE counts only for items that name no
namespace. docs/import.md and docs/export-import.md describe all of this.

If an item fails, the command still imports the others. Importing the same file again changes nothing, so after an
interruption run the command again.

Examples:
  coordinator import services.json
  coordinator import --url http://registry:3000 services.jsonl
  coordinator import --dry-run --namespace shop docker-compose.yml
  coordinator import --source shop --prune docker-compose.yml
  coordinator export --url http://old:3000 | coordinator import -
`

/** `coordinator import FILE`: registers the services, and asserts the nodes and edges, in a file with a running coordinator. */
export function importCommand(context: CommandContext): Command {
  return withOutput(
    clientCommand('import', 'Register the services, and assert the nodes and edges, that a file lists.'),
  )
    .argument('<file>', 'the file; - for standard input')
    .addOption(
      new Option('--format <format>', 'format of a file of another program (default: recognized)').choices(
        FILE_FORMATS,
      ),
    )
    .option('-n, --namespace <namespace>', 'put everything into this namespace, whatever the file says')
    .option(
      '--source <name>',
      'name that marks what the file contains (default for files of other programs: FOLDER/FILE)',
    )
    .option('--prune', 'remove what this source once contained and the file lacks, at most 20 % of it')
    .option('--force', 'with --prune: remove more than 20 %')
    .option('--dry-run', 'write nothing, and show what would change')
    .option(
      '--patience <seconds>',
      'how long to keep trying while the coordinator accepts nothing',
      readSeconds,
      60,
    )
    .addHelpText('after', examples)
    .action((file: string, options: ImportOptions) => runImport(file, options, context))
}

const goOn =
  'Each of them is stored as a whole. Run the same command again to go on: what is stored already stays as it is.'

async function runImport(file: string, options: ImportOptions, context: CommandContext): Promise<void> {
  const { terminal, exit } = context
  const { dryRun = false } = options
  const namespace = namespaceOf(options, terminal.env)
  const isForced = options.namespace !== undefined
  const source = sourceFor(file, options)
  const client = clientOf(options, terminal, IMPORT_COMMAND)
  const progress = createProgress(terminal)
  const report = new Report(progress, isData(options))
  const outcome = await interruptible((interrupted) =>
    (dryRun ? rehearse : importItems)({
      ...{ file, client, progress, report, interrupted, source },
      ...{ format: options.format, formats: () => readFormats(file, terminal), stdin: terminal.stdin },
      namespace: isForced ? { forced: namespace } : { fallback: namespace },
      prune: options.prune === true,
      force: options.force === true,
      patienceMs: options.patience * 1_000,
    }),
  )
  const { interruption, refusal, totals } = outcome
  const next = interruption === undefined ? nextSteps(report, options) : []
  writeResult(context, options, {
    value: { ...resultOf(outcome, report), ...(dryRun ? { dryRun } : {}), next },
    text: dryRun
      ? `${changesTable(outcome)}Would import ${summaryOf(outcome)}. Nothing was written.\n`
      : `${summaryOf(outcome)}\n`,
  })
  if (!isData(options)) for (const command of next) terminal.stderr.write(`Next: ${printable(command)}\n`)
  if (interruption !== undefined) {
    const far = `Interrupted after ${countOf(totals.total, 'item')}.`
    terminal.stderr.write(dryRun ? 'Interrupted. Nothing was written.\n' : `${far} ${goOn}\n`)
    return exit(interruption.exitCode)
  }
  if (refusal !== undefined) throw refusal
  if (!totals.isComplete) exit(1)
}

/** The readers of other formats are loaded only if they are needed. */
async function readFormats(file: string, { env }: Terminal): Promise<FormatReader> {
  const [{ readFormat }, { variablesBeside }] = await Promise.all([
    import('./formats/read-format.ts'),
    import('./formats/compose/variables-beside.ts'),
  ])
  const variables = await variablesBeside(file, env)
  return (text, options) => readFormat(text, { ...options, variables })
}

/** @throws COORD_CLI_USAGE for a wrong source, or for options that do not fit together */
function sourceFor(file: string, { source, prune, force }: ImportOptions): string | undefined {
  if (force === true && prune !== true) throw wrongUsage('--force belongs to --prune.')
  if (source !== undefined) return checkedSource(source)
  if (prune !== true) return undefined
  const own = sourceOfFile(file)
  if (own === undefined)
    throw wrongUsage('--prune of standard input needs --source: it has no name of its own.')
  return own
}

function wrongUsage(detail: string): CoordinatorError {
  return new CoordinatorError('COORD_CLI_USAGE', { detail, hint: 'Run the command with --help.' })
}

/** The commands that show more about what the import warned of. */
function nextSteps(report: Report, { url }: ImportOptions): readonly string[] {
  const at = url === undefined ? '' : ` --url ${url}`
  return [
    ...(report.warnedOf('dependency_cycle') ? [`coordinator graph cycles${at}`] : []),
    ...(report.warnedOf('unknown_dependency') || report.warnedOf('unresolved_node')
      ? [`coordinator graph unresolved${at}`]
      : []),
  ]
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0 || seconds > 86_400)
    throw new InvalidArgumentError('It must be a number of seconds, from 0 to 86400.')
  return seconds
}
