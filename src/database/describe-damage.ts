import type { RecordKey, Revision } from '../records/record.ts'
import type { Damage } from './store.ts'

/** A finding of an examination, in the same form for every backend. */
export type DamageFact =
  /** The head does not match the end of the journal. */
  | { readonly fact: 'head'; readonly revision: Revision; readonly newest: Revision | null }
  /** The digest of a revision does not follow from the previous digest and the commit. */
  | { readonly fact: 'digest'; readonly revision: Revision }
  /** The entries from one revision to another are missing. */
  | { readonly fact: 'hole'; readonly revision: Revision; readonly upto: Revision }
  /**
   * - `lost`: an entry wrote the record, and the record is missing or older than that.
   * - `ahead`: the record is newer than the head.
   * - `unjournalled`: no entry wrote the stored content. `differs`: the entry that wrote the record has other content.
   */
  | (RecordKey & {
      readonly fact: 'lost' | 'ahead' | 'unjournalled' | 'differs'
      readonly revision: Revision
    })

/** The SQL with which a backend repairs damage. */
export interface DamageRepairs {
  /** Restores a record as an entry wrote it. */
  readonly record: (key: RecordKey, revision: Revision) => string
  /** Gives up the history before the newest revision. */
  readonly forgetHistory: () => string
}

export const facts = ['head', 'digest', 'hole', 'lost', 'ahead', 'unjournalled', 'differs'] as const

const restore = 'Restore the last backup, and run `coordinator after-restore`.'
const mending = 'It sets the head to the end of what is stored.'
/** The repair of a head that does not match the rest. */
export const mendHead = `Run \`coordinator after-restore\`. ${mending}`
const thenRestored = 'run this, and then `coordinator after-restore`:'

/** Explains a fact to people, and tells them how to repair it. */
export function describeDamage(fact: DamageFact, repairs: DamageRepairs): Damage {
  switch (fact.fact) {
    case 'head': {
      const end =
        fact.newest === null ? 'the journal has no entry' : `the journal ends at revision ${fact.newest}`
      const found = `The head is at revision ${fact.revision}, which does not match the journal: ${end}.`
      // If the journal is shorter, it has lost entries that clients have seen.
      const lost = fact.newest === null || fact.newest < fact.revision
      return {
        found,
        repair: lost ? `${restore} Without a backup, only run the command. ${mending}` : mendHead,
      }
    }
    case 'digest':
      return {
        found: `The digest of revision ${fact.revision} does not follow from the entry before it.`,
        repair: `${restore} Without one, ${thenRestored}\n${repairs.forgetHistory()}`,
      }
    case 'hole': {
      const { revision, upto } = fact
      const missing = revision === upto ? `Revision ${revision} is` : `Revisions ${revision} to ${upto} are`
      return {
        found: `${missing} missing from the journal.`,
        repair: `${restore} Without one, give up the history:\n${repairs.forgetHistory()}`,
      }
    }
    case 'lost':
      return recordDamage(fact, `is missing or older than what revision ${fact.revision} wrote`, repairs)
    case 'differs':
      return recordDamage(fact, `differs from what revision ${fact.revision} wrote`, repairs)
    case 'ahead':
      return {
        found: `${nameOf(fact)} has revision ${fact.revision}, which is newer than the head.`,
        repair: `${mendHead} The record becomes a commit.`,
      }
    case 'unjournalled':
      return {
        found: `${nameOf(fact)} has revision ${fact.revision}, and no entry of the journal wrote it.`,
        repair: `${restore} Without one, write the record again with a different content, so that it gets a journal entry.`,
      }
  }
}

function recordDamage(fact: Extract<DamageFact, RecordKey>, what: string, { record }: DamageRepairs): Damage {
  return { found: `${nameOf(fact)} ${what}.`, repair: record(fact, fact.revision) }
}

function nameOf({ kind, id }: RecordKey): string {
  return `The record ${kind} ${JSON.stringify(id)}`
}

/** A name as SQL, in quotes only if it needs them. */
export function sqlName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
