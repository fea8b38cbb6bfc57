import { once } from 'node:events'
import { type Command, Option } from 'commander'
import {
  type ClientOptions,
  type CommandContext,
  clientCommand,
  clientOf,
} from './context/command-context.ts'
import {
  allNamespacesOption,
  type NamespaceOptions,
  namespaceOf,
  namespaceOption,
} from './context/namespace-option.ts'
import { isInNamespace } from './import/record-namespace.ts'
import { storedRecords } from './import/stored-records.ts'
import { Interruption, interruptible } from './terminal/interruption.ts'
import { countOf, printable, printableJson } from './terminal/text-table.ts'
import { writeWholeFile } from './terminal/write-whole-file.ts'

interface ExportOptions extends Omit<ClientOptions, 'output'>, NamespaceOptions {
  readonly file?: string
  readonly output?: string
}

const examples = `
Writes every service, and every node and edge that somebody asserted, at one revision: one JSON object a line, which
\`coordinator import\` takes. The history, heartbeats and tokens stay behind.

Examples:
  coordinator export --file records.jsonl
  coordinator export --namespace shop --file shop.jsonl
  coordinator export --url http://old:3000 | coordinator import --url http://new:3000 -
`

/** `coordinator export`: writes all records, for `coordinator import`. */
export function exportCommand(context: CommandContext): Command {
  return clientCommand('export', 'Write all services and assertions, for coordinator import.')
    .option('-f, --file <path>', 'the file to write (default: standard output)')
    .addOption(new Option('--output <path>', 'the same as --file').conflicts('file').hideHelp())
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .addHelpText('after', examples)
    .action((options: ExportOptions) => runExport(options, context))
}

async function runExport(
  { output, file = output, ...options }: ExportOptions,
  { terminal, exit }: CommandContext,
): Promise<void> {
  const { stdout, stderr } = terminal
  const client = clientOf(options, terminal)
  const namespace = namespaceOf(options, terminal.env)
  const found = await interruptible(async (interrupted) => {
    const toStdout = async (text: string) => {
      if (!stdout.write(printableJson(text))) await once(stdout, 'drain', { signal: interrupted })
    }
    try {
      const chunks = exportedChunks(storedRecords(client, interrupted), namespace)
      if (file === undefined) return await writeAll(chunks, toStdout)
      return await writeWholeFile(file, (add) => writeAll(chunks, add))
    } catch (thrown) {
      if (interrupted.aborted && interrupted.reason instanceof Interruption) return interrupted.reason
      throw thrown
    }
  })
  if (found instanceof Interruption) {
    stderr.write(
      `Interrupted: ${file === undefined ? 'what was written is only a part' : 'nothing was written'}.\n`,
    )
    exit(found.exitCode)
    return
  }
  const { service, node, edge, revision } = found
  const counts = `${countOf(service, 'service')}, ${countOf(node, 'node')} and ${countOf(edge, 'edge')}`
  const where = file === undefined ? '' : ` to ${file}`
  stderr.write(`${printable(`Wrote ${counts} of revision ${revision}${where}.`)}\n`)
}

interface Exported {
  readonly [kind: string]: number
  readonly service: number
  readonly node: number
  readonly edge: number
  readonly revision: number
}

async function writeAll(
  chunks: AsyncGenerator<string, Exported>,
  add: (text: string) => Promise<void>,
): Promise<Exported> {
  for (;;) {
    const { done, value } = await chunks.next()
    if (done === true) return value
    await add(value)
  }
}

/** The size of a chunk, in UTF-16 code units. */
const chunkSize = 65_536

/**
 * The lines of an export: those of `GET /snapshot`. The number of records is in the first line, so that a file that was cut is not taken for
 * the whole. Of a single namespace it is known only at the end, and therefore in the last line.
 */
async function* exportedChunks(
  lines: ReturnType<typeof storedRecords>,
  namespace: string | undefined,
): AsyncGenerator<string, Exported> {
  const counts: Record<string, number> = { service: 0, node: 0, edge: 0 }
  let revision = 0
  let records = 0
  let chunk = ''
  for await (const { text, head, record } of lines) {
    if (record !== undefined) {
      if (namespace !== undefined && !isInNamespace(record, namespace)) continue
      counts[record.kind] = (counts[record.kind] ?? 0) + 1
      records += 1
    } else {
      revision = head.position.revision
    }
    const { records: _, ...rest } = head ?? {}
    chunk += `${head === undefined || namespace === undefined ? text : JSON.stringify({ ...rest, namespace })}\n`
    if (chunk.length < chunkSize) continue
    yield chunk
    chunk = ''
  }
  if (namespace !== undefined) chunk += `${JSON.stringify({ records })}\n`
  yield chunk
  return { ...counts, revision } as Exported
}
