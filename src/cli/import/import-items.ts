import { CoordinatorError } from '../../errors.ts'
import type { CoordinatorClient } from '../context/coordinator-client.ts'
import type { FormatName } from '../formats/reading/format-reading.ts'
import type { Interruption } from '../terminal/interruption.ts'
import { printable } from '../terminal/text-table.ts'
import type { Item } from './item.ts'
import { makeBatches } from './make-batches.ts'
import type { Outcome } from './outcome.ts'
import type { Progress } from './progress.ts'
import { BroughtRecords, FileContent, planPruning, removePlanned } from './prune.ts'
import { type FormatReader, readItems } from './read-items.ts'
import { inNamespace, type WantedNamespace } from './record-namespace.ts'
import type { Report } from './report.ts'
import { BatchSender, type Verdict } from './send-batches.ts'
import { sourceOfFile, withSource } from './source.ts'
import { storedRecords } from './stored-records.ts'
import { Totals } from './totals.ts'

/** What an import is asked to do. */
export interface ImportTask {
  /** A path, or `-` for `stdin`. */
  readonly file: string
  readonly stdin: NodeJS.ReadableStream
  readonly client: CoordinatorClient
  readonly progress: Progress
  readonly report: Report
  readonly interrupted: AbortSignal
  readonly format: FormatName | undefined
  readonly formats: () => Promise<FormatReader>
  readonly namespace: WantedNamespace
  /** Marks everything. @default nothing is marked, or the name of a file of another program */
  readonly source: string | undefined
  /** Whether what the source once brought is removed if the file lacks it. Needs a `source`. */
  readonly prune: boolean
  /** Whether more may be removed than the limit allows. */
  readonly force: boolean
  /** How long to keep trying while the coordinator accepts nothing, in milliseconds. */
  readonly patienceMs: number
}

/** How long an interrupted import still waits for the answer to the request that is on its way. */
const lastAnswerMs = 2_000

/** The items of the input as they are sent: in their namespace, and with the mark of their source. */
export async function* preparedItems(task: ImportTask): AsyncGenerator<Item> {
  const { file, stdin, format, formats, namespace, interrupted } = task
  let { source } = task
  const onFormat = () => {
    source ??= sourceOfFile(file)
  }
  for await (const item of readItems(file, {
    stdin,
    format,
    formats,
    interrupted,
    onFormat,
    onDetail: (place, message) => task.report.addDetail(place, message),
    namespace: namespace.forced,
  })) {
    const placed = inNamespace(item, namespace)
    yield source === undefined ? placed : withSource(placed, source)
  }
}

/** Sends everything, and then removes what the source no longer has. */
export async function importItems(task: ImportTask): Promise<Outcome> {
  const { client, progress, report, interrupted, patienceMs } = task
  const totals = new Totals()
  const content = new FileContent()
  const cut = new AbortController()
  interrupted.addEventListener('abort', () => {
    progress.note('Stopping after the current request. Press Ctrl-C again to stop at once.')
    setTimeout(() => cut.abort(interrupted.reason), lastAnswerMs).unref()
  })
  const sender = new BatchSender({
    ...{ client, patienceMs, interrupted, cut: cut.signal },
    onRetry: ({ detail }, waitMs) =>
      progress.note(`waiting ${(waitMs / 1_000).toFixed(1)} s: ${printable(detail)}`),
  })
  const take = (verdict: Verdict) => {
    totals.add(verdict)
    report.add(verdict)
    if (task.prune && verdict.outcome !== 'failed') content.add(verdict.item, verdict.id)
  }
  const batches = makeBatches(preparedItems(task))
  try {
    // A fault of the file comes before anything is asked.
    let next = await batches.next()
    const brought = task.prune ? await readBrought(task) : undefined
    while (next.done !== true) {
      for (const verdict of await sender.send(next.value)) take(verdict)
      progress.update(totals.total, next.value.at(-1)?.item.fraction)
      interrupted.throwIfAborted()
      next = await batches.next()
    }
    await report.end(client)
    if (brought === undefined) return { totals }
    return { totals, ...(await pruned(task, { brought, content, isComplete: totals.isComplete })) }
  } catch (thrown) {
    if (interrupted.aborted) return { totals, interruption: interrupted.reason as Interruption }
    if (totals.total > 0) progress.note(`${totals.total} items were sent; run the command again to go on.`)
    throw thrown
  } finally {
    progress.stop()
    await batches.return(undefined)
  }
}
/** What the source has before anything is written. */
export async function readBrought(task: ImportTask): Promise<BroughtRecords> {
  const brought = new BroughtRecords(task.source ?? '')
  for await (const { head, record } of storedRecords(task.client, task.interrupted))
    if (record === undefined) brought.begin(head)
    else brought.add(record)
  return brought
}

/** What a source had, and what its file has now. */
interface Compared {
  readonly brought: BroughtRecords
  readonly content: FileContent
  /** Whether everything in the file was imported. If not, nobody knows what it has. */
  readonly isComplete: boolean
}

async function pruned(task: ImportTask, compared: Compared): Promise<Pick<Outcome, 'pruning' | 'refusal'>> {
  const found = await plannedPruning(task, compared)
  if (found.pruning === undefined) return found
  for (const { kind, name } of found.pruning.removed)
    task.progress.note(printable(`removing ${kind} ${name}`))
  for (const { kind, name, why } of found.pruning.spared)
    task.progress.note(printable(`keeping ${kind} ${name}, because ${why}`))
  return { pruning: await removePlanned(pruneOptions(task, compared), found.pruning) }
}

/** What would be removed, or why nothing is. */
export async function plannedPruning(
  task: ImportTask,
  compared: Compared,
): Promise<Pick<Outcome, 'pruning' | 'refusal'>> {
  if (!compared.isComplete) {
    task.progress.note('Nothing is removed, because a part of the file could not be imported.')
    return {}
  }
  try {
    return { pruning: await planPruning(pruneOptions(task, compared)) }
  } catch (thrown) {
    if (thrown instanceof CoordinatorError && thrown.code === 'COORD_CLI_PRUNE_LIMIT')
      return { refusal: thrown }
    throw thrown
  }
}

function pruneOptions(
  { client, source = '', force, interrupted, namespace }: ImportTask,
  { brought, content }: Compared,
) {
  return {
    client,
    source,
    brought: brought.within(content, namespace.forced),
    file: content,
    force,
    interrupted,
  }
}
