import { sameFields } from './record-model.ts'
import type { Fields } from './recorded-call.ts'
import type { Told } from './told.ts'

/** A commit as the journal has it at the end. Each call writes one record. */
export interface JournalEntry {
  readonly revision: number
  readonly commitId: string
  readonly key: string
  /** `undefined`: the record was deleted. */
  readonly fields: Fields | undefined
}

/** Compares what clients were told about revisions with the journal. Returns what is wrong. */
export function judgeTold(told: readonly Told[], journal: readonly JournalEntry[]): string[] {
  const wrong: string[] = []
  const gap = journal.findIndex(({ revision }, index) => revision !== index + 1)
  if (gap !== -1) return [`The journal has revision ${journal[gap]?.revision} in the place of ${gap + 1}.`]
  const byKey = Map.groupBy(journal, ({ key }) => key)
  const commitIds = new Set(journal.map(({ commitId }) => commitId))
  const values = new Set(journal.flatMap(({ fields }) => Object.values(fields ?? {})))
  const owners = new Map<number, string>()
  for (const each of told) {
    const fault =
      each.is === 'written'
        ? writtenFault(each, journal, owners)
        : each.is === 'denied'
          ? deniedFault(each, { commitIds, values })
          : recordFault(each, byKey.get(each.key) ?? [])
    if (fault !== undefined) wrong.push(`${each.note}: ${fault}`)
  }
  return wrong
}

type Of<K extends Told['is']> = Extract<Told, { is: K }>

function writtenFault(
  { key, wish, revision, commitId, note }: Of<'written'>,
  journal: readonly JournalEntry[],
  owners: Map<number, string>,
): string | undefined {
  const entry = journal[revision - 1]
  if (entry?.key !== key) return `revision ${revision} is not a commit on ${key}`
  if (commitId !== undefined && entry.commitId !== commitId)
    return `revision ${revision} is the commit of another request`
  const owner = owners.get(revision)
  if (owner !== undefined) return `revision ${revision} was told to ${owner} too`
  owners.set(revision, note)
  if (wish.does === 'read') return undefined
  if ((wish.does === 'delete') !== (entry.fields === undefined))
    return `revision ${revision} does something else`
  if (wish.does === 'delete') return undefined
  const missing = Object.entries(wish.fields).find(([name, value]) => entry.fields?.[name] !== value)
  return missing === undefined ? undefined : `revision ${revision} stores another ${missing[0]} than was sent`
}

function deniedFault(
  { commitId, wish }: Of<'denied'>,
  stored: { readonly commitIds: ReadonlySet<string>; readonly values: ReadonlySet<string> },
): string | undefined {
  if (commitId !== undefined && stored.commitIds.has(commitId)) return 'it was denied, and is stored'
  if (wish.does === 'delete' || wish.does === 'read') return undefined
  const value = Object.values(wish.fields).find((each) => stored.values.has(each))
  return value === undefined ? undefined : `it was denied, and ${value} is stored`
}

/** @param entries those of the record, in order */
function recordFault(
  told: Of<'shown'> | Of<'history'>,
  entries: readonly JournalEntry[],
): string | undefined {
  const until = entries.filter(({ revision }) => revision <= told.at)
  if (told.is === 'history') {
    const revisions = until.map(({ revision }) => revision).reverse()
    const expected = told.complete ? revisions : revisions.slice(0, told.revisions.length)
    return expected.join() === told.revisions.join()
      ? undefined
      : `the history at revision ${told.at} has ${told.revisions.join()}, the journal ${expected.join()}`
  }
  const last = until.at(-1)
  const isSame =
    told.fields === undefined
      ? last?.fields === undefined
      : last?.fields !== undefined &&
        sameFields(last.fields, told.fields) &&
        (told.revision === undefined || told.revision === last.revision)
  return isSame
    ? undefined
    : `at revision ${told.at} it shows ${JSON.stringify(told.fields)} of ${told.revision}, the journal has ${JSON.stringify(last?.fields)} of ${last?.revision}`
}
