import { type PartOfArchive, readPartOfArchive } from '../../archive/restore/part-of-archive.ts'
import { comparePart, type PutBackChange, putBack } from '../../archive/restore/put-back.ts'
import { readSelection } from '../../archive/restore/selection.ts'
import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { actor } from '../context/coordinator-client.ts'
import { readSharedStore, withStore } from '../context/with-store.ts'
import { countOf, printable, textTable } from '../terminal/text-table.ts'
import { writeWholeFile } from '../terminal/write-whole-file.ts'
import type { ArchiveOptions, OpenArchive } from './open-archive.ts'
import { planOf, type TargetOptions } from './restore-target.ts'
import { timeText } from './sizes.ts'

export interface RestorePartOptions extends ArchiveOptions, TargetOptions {
  readonly only?: readonly string[]
  readonly file?: string
  readonly dryRun?: true
  /** Seconds. */
  readonly patience: number
}

/** `coordinator restore --only`: puts a part of the past back into a database that is in use, or writes it as a file for `import`. */
export async function restorePart(
  options: RestorePartOptions,
  archive: OpenArchive,
  context: CommandContext,
): Promise<void> {
  const selection = readSelection(options.only ?? [])
  if (selection === undefined)
    throw new CoordinatorError('COORD_CLI_USAGE', {
      detail: 'One of the parts is none.',
      hint: 'Give --only service:NAME, service:NAMESPACE/NAME, service:*, node:ID, edge:ID or namespace:NAME.',
    })
  const { destination, identities, env, signal } = archive
  const patience = { patienceMs: options.patience * 1_000, signal }
  const plan = await planOf(options, archive, context.terminal)
  const part = await readPartOfArchive(selection, plan, { destination, identities, patience })
  if (part.records.length === 0)
    throw new CoordinatorError('COORD_ARCHIVE_EMPTY', {
      detail: `At revision ${part.revision}, of ${timeText(part.at)}, there was no such record.`,
      hint: 'Give an earlier --at or --revision, or look for the name with `coordinator changes`.',
    })
  if (options.file !== undefined && options.dryRun !== true) return writeFile(options.file, part, context)
  await withStore(readSharedStore(env), context.terminal, async (store) => {
    const head = await store.open()
    if (head.mode !== 'open')
      throw new CoordinatorError('COORD_STORE_FROZEN', { detail: `The database is in mode ${head.mode}.` })
    const { records } = part
    const changes =
      options.dryRun === true
        ? await comparePart(store, records)
        : await putBack({ store, records, actor: `${actor()} restore`, patience })
    writeResult(context, options, {
      value: partValue(part, changes, options.dryRun === true),
      text: `${tableOf(changes)}${summaryOf(part, changes, options.dryRun === true)}\n`,
    })
  })
}

function partValue({ revision, at }: PartOfArchive, changes: readonly PutBackChange[], dryRun: boolean) {
  return {
    ...{ revision, at: timeText(at), dryRun },
    records: changes.map(({ record: { kind, id, data }, change, present }) => ({
      ...{ kind, id, name: nameOf(data) ?? null, change, presentRevision: present },
    })),
  }
}

const signs = { create: '+', replace: '~', same: '=' } as const

function tableOf(changes: readonly PutBackChange[]): string {
  return textTable(
    changes
      .filter(({ change }) => change !== 'same')
      .map(({ record: { kind, id, data, revision }, change, present }) => [
        signs[change],
        kind,
        nameOf(data) ?? id,
        `as of revision ${revision}`,
        present === 0 ? 'does not exist now' : `now of revision ${present}`,
      ]),
  )
}

function summaryOf(
  { revision, at }: PartOfArchive,
  changes: readonly PutBackChange[],
  dryRun: boolean,
): string {
  const count = (wanted: PutBackChange['change']) => changes.filter(({ change }) => change === wanted).length
  const verb = dryRun ? 'Would put back' : 'Put back'
  const counts = `${count('create')} created, ${count('replace')} replaced, ${count('same')} as they were`
  const end = dryRun ? ' Nothing was written.' : ''
  return `${verb} ${countOf(changes.length, 'record')} of revision ${revision}, of ${timeText(at)}: ${counts}.${end}`
}

/** The name of a service; other records have none. */
function nameOf(data: string): string | undefined {
  const value: unknown = JSON.parse(data)
  const name = isJsonObject(value) ? value['serviceName'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** The lines of an export: the number of records first, so that a file that was cut is not taken for the whole. */
async function writeFile(file: string, part: PartOfArchive, { terminal }: CommandContext): Promise<void> {
  const { records, revision, at } = part
  await writeWholeFile(file, async (add) => {
    const { lineage } = part
    await add(`${JSON.stringify({ position: { lineage, revision }, records: records.length })}\n`)
    for (const { kind, id, revision: own, data } of records)
      await add(
        `{"kind":${JSON.stringify(kind)},"id":${JSON.stringify(id)},"revision":${own},"data":${data}}\n`,
      )
  })
  const written = `Wrote ${countOf(records.length, 'record')} of revision ${revision}, of ${timeText(at)}, to ${file}.`
  terminal.stderr.write(`${printable(`${written} Next: coordinator import ${file}`)}\n`)
}
