import type { Revision } from '../../records/record.ts'
import type { Destination } from '../destination/destination.ts'

/** An archive was read, and found to be right. */
export interface Check {
  /** When it ended, by the clock of the machine that read. Epoch milliseconds. */
  readonly at: number
  readonly lineage: string
  /** The newest revision that was looked at. */
  readonly revision: Revision
  /** `structure`: the files are encrypted, and no identity was given. */
  readonly checked: 'contents' | 'structure'
  /** `drill`: the log leads from one base to the next. `verify`: every file is whole. */
  readonly by: 'drill' | 'verify'
}

/** The folder of the archive in which checks are noted. Restores never need it. */
const FOLDER = 'checks/'

const form =
  /^checks\/(\d{16})-([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})-(\d{16})-(contents|structure)-(drill|verify)\.json$/

/** Whether a file notes a check. */
export function isCheck(name: string): boolean {
  return form.test(name)
}

/**
 * Notes a check in the archive itself, so that everybody who looks at it sees when it was verified. Older notes of the same kind are removed.
 *
 * @throws COORD_ARCHIVE_UNREACHABLE, COORD_ARCHIVE_REFUSED, COORD_ARCHIVE_FULL
 */
export async function noteCheck(destination: Destination, check: Check, signal?: AbortSignal): Promise<void> {
  const { at, lineage, revision, checked, by } = check
  const digits = (value: number) => String(value).padStart(16, '0')
  const name = `${FOLDER}${digits(at)}-${lineage}-${digits(revision)}-${checked}-${by}.json`
  await destination.write(name, Buffer.from(`${JSON.stringify(check)}\n`), signal)
  for (const [older, known] of await namedChecks(destination, signal))
    if (known.lineage === lineage && known.by === by && known.checked === checked && older < name)
      await destination.remove(older, signal)
}

/** The newest check of the contents of each history, or else of its structure. @throws COORD_ARCHIVE_UNREACHABLE, COORD_ARCHIVE_REFUSED */
export async function readChecks(
  destination: Destination,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Check>> {
  const newest = new Map<string, Check>()
  for (const [, check] of await namedChecks(destination, signal)) {
    // A coordinator without the identity checks the structure every day. That says less than a check of the contents elsewhere.
    if (check.checked === 'structure' && newest.get(check.lineage)?.checked === 'contents') continue
    newest.set(check.lineage, check)
  }
  return newest
}

/** In order of their times. */
async function namedChecks(
  destination: Destination,
  signal: AbortSignal | undefined,
): Promise<readonly (readonly [name: string, check: Check])[]> {
  const found: [string, Check][] = []
  for await (const { name } of destination.list(FOLDER, signal)) {
    const match = form.exec(name)
    if (match === null) continue
    const [, at, lineage = '', revision, checked, by] = match
    found.push([
      name,
      {
        ...{ at: Number(at), lineage, revision: Number(revision) },
        checked: checked === 'contents' ? 'contents' : 'structure',
        by: by === 'drill' ? 'drill' : 'verify',
      },
    ])
  }
  return found
}
