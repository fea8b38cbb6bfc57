import { type Command, InvalidArgumentError } from 'commander'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
  isData,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { makeBatches } from './import/make-batches.ts'
import { createProgress, type Progress } from './import/progress.ts'
import { readItems } from './import/read-items.ts'
import { BatchSender, type ItemWarning, type Verdict } from './import/send-batches.ts'
import { countOf, printable } from './terminal/text-table.ts'

interface ImportOptions extends ClientOptions {
  readonly patience: number
}

const examples = `
FILE is a JSON array of registrations, one registration, the output of \`coordinator services --json\`, or JSON Lines
(one registration a line, any number of lines). \`-\` reads from standard input.

A registration that fails does not affect the others. Registering the same content again changes nothing, so after an
interruption just run the command again.

Examples:
  coordinator import services.json
  coordinator import --url http://registry:3000 services.jsonl
  coordinator services --url http://old:3000 --json | coordinator import -
`

/** `coordinator import FILE`: registers the services in a file with a running coordinator. */
export function importCommand(context: CommandContext): Command {
  return withOutput(clientCommand('import', 'Register the services that a file lists.'))
    .argument('<file>', 'JSON or JSON Lines; - for standard input')
    .option(
      '--patience <seconds>',
      'how long to keep trying while the coordinator accepts nothing',
      readSeconds,
      60,
    )
    .addHelpText('after', examples)
    .action((file: string, options: ImportOptions) => runImport(file, options, context))
}

async function runImport(file: string, options: ImportOptions, context: CommandContext): Promise<void> {
  const { terminal, exit } = context
  const client = clientOf(options, terminal)
  const items = readItems(file, terminal.stdin)
  const batches = makeBatches(items)
  const first = await batches.next()
  const progress = createProgress(terminal)
  const sender = new BatchSender({
    client,
    patienceMs: options.patience * 1_000,
    onRetry: ({ detail }, waitMs) =>
      progress.note(`waiting ${(waitMs / 1_000).toFixed(1)} s: ${printable(detail)}`),
  })
  const totals: Record<Verdict['outcome'], number> = { new: 0, changed: 0, unchanged: 0, failed: 0 }
  const report = new Report(progress, isData(options))
  let done = 0
  try {
    for (let next = first; next.done !== true; next = await batches.next()) {
      for (const verdict of await sender.send(next.value)) {
        totals[verdict.outcome] += 1
        report.add(verdict)
      }
      done += next.value.length
      progress.update(done, next.value.at(-1)?.item.fraction)
    }
    // Must come before `stop`: each note starts the bar again, and a running bar keeps the process alive.
    report.end()
  } catch (thrown) {
    if (done > 0) progress.note(`${done} services were sent; run the command again to go on.`)
    throw thrown
  } finally {
    progress.stop()
    await items.return(undefined)
  }
  writeResult(context, options, {
    value: { total: done, ...totals, failures: report.failures },
    text: `${countOf(done, 'service')}: ${totals.new} new, ${totals.changed} changed, ${totals.unchanged} unchanged, ${totals.failed} failed\n`,
  })
  if (totals.failed > 0) exit(1)
}

/** Further warnings of one kind are only counted. */
const maxWarningsOfKind = 3

interface Failure {
  readonly place: string
  readonly serviceName?: string | undefined
  readonly code: string
  readonly reason: string
}

/** Reports failures and warnings while they come. */
class Report {
  readonly failures: Failure[] = []
  readonly #progress: Progress
  readonly #keep: boolean
  readonly #warnings = new Map<string, number>()

  /** @param keep whether failures are collected instead of printed */
  constructor(progress: Progress, keep: boolean) {
    this.#progress = progress
    this.#keep = keep
  }

  add(verdict: Verdict): void {
    const { value, place } = verdict.item
    const given = (value as { serviceName?: unknown } | null | undefined)?.serviceName
    const serviceName = typeof given === 'string' ? given : undefined
    const shown = serviceName === undefined ? place : `${place} (${serviceName.slice(0, 100)})`
    if (verdict.outcome !== 'failed') {
      for (const warning of verdict.warnings) this.#warn(shown, warning)
      return
    }
    const { code, reason } = verdict
    if (this.#keep) this.failures.push({ place, serviceName, code, reason })
    else this.#progress.note(printable(`${shown}: ${reason} [${code}]`))
  }

  end(): void {
    for (const [code, count] of this.#warnings)
      if (count > maxWarningsOfKind)
        this.#progress.note(
          printable(`and ${count - maxWarningsOfKind} more warnings of this kind [${code}]`),
        )
  }

  #warn(place: string, { code, message }: ItemWarning): void {
    const count = (this.#warnings.get(code) ?? 0) + 1
    this.#warnings.set(code, count)
    if (count <= maxWarningsOfKind) this.#progress.note(printable(`${place}: warning: ${message} [${code}]`))
  }
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0 || seconds > 86_400)
    throw new InvalidArgumentError('It must be a number of seconds, from 0 to 86400.')
  return seconds
}
