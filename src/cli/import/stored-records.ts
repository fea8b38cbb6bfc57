import { CoordinatorError } from '../../errors.ts'
import { isJsonObject } from '../../records/canonical-json.ts'
import { type CoordinatorClient, notCoordinator } from '../context/coordinator-client.ts'
import { splitLines } from './split-lines.ts'

/** The first line of a snapshot: the moment that it shows, and how many records follow. */
export interface SnapshotHead {
  readonly position: { readonly lineage: string; readonly revision: number }
  /** Absent if the writer did not know it yet: then the last line has it. */
  readonly records?: number
}

/** A record as a snapshot shows it. */
export interface SnapshotRecord {
  readonly kind: string
  readonly id: string
  readonly revision?: number
  /** What is stored. It may be anything, because people can write to a database. */
  readonly data: unknown
}

/** A line of a snapshot, with its text. */
export type SnapshotLine =
  | { readonly text: string; readonly head: SnapshotHead; readonly record?: never }
  | { readonly text: string; readonly record: SnapshotRecord; readonly head?: never }

/**
 * Reads everything that a coordinator has after the newest commit of its database, at one revision, and however much it is.
 *
 * @throws COORD_CLI_UNREACHABLE, also if the answer is not whole, or the error in the answer of the coordinator
 */
export async function* storedRecords(
  client: CoordinatorClient,
  interrupted?: AbortSignal,
): AsyncGenerator<SnapshotLine> {
  let promised: number | undefined
  let records = 0
  for await (const { text } of splitLines(
    client.download('/snapshot?consistency=latest', { signal: interrupted }),
  )) {
    const line = parsed(text)
    if (promised === undefined) {
      if (!isSnapshotHead(line) || line.records === undefined) throw notCoordinator(client.baseUrl, 200)
      promised = line.records
      yield { text, head: line }
    } else {
      if (!isSnapshotRecord(line)) throw notCoordinator(client.baseUrl, 200)
      records += 1
      yield { text, record: line }
    }
  }
  if (records === promised) return
  throw new CoordinatorError('COORD_CLI_UNREACHABLE', {
    detail: `${client.baseUrl} promised ${promised ?? 'some'} records, and sent ${records}.`,
    hint: 'Run the command again. A proxy there may cut long answers.',
  })
}

export function isSnapshotHead(line: unknown): line is SnapshotHead {
  if (!isJsonObject(line) || !isJsonObject(line['position'])) return false
  const { records, position } = line
  return (
    typeof position['lineage'] === 'string' &&
    typeof position['revision'] === 'number' &&
    (records === undefined || typeof records === 'number')
  )
}

/** A registration may have unknown members with these names, but it has its name at its top. */
export function isSnapshotRecord(line: unknown): line is SnapshotRecord {
  if (!isJsonObject(line) || 'serviceName' in line || !('data' in line)) return false
  return typeof line['kind'] === 'string' && typeof line['id'] === 'string'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
