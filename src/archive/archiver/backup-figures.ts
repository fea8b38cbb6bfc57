import type { Revision } from '../../records/record.ts'

/**
 * - `waiting`: nothing is served yet, or no database answers yet.
 * - `ok`: everything is archived, or will be at the next interval.
 * - `failing`: the last attempt failed. It is repeated.
 * - `stopped`: the archive contradicts the journal, so nothing is written until somebody has looked.
 */
export type BackupState = 'waiting' | 'ok' | 'failing' | 'stopped'

/** The result of a rehearsed restore. */
export interface DrillResult {
  readonly ok: boolean
  /** When it ended. Epoch milliseconds. */
  readonly at: number
  /** `contents`: it compared the records; `structure`: without an identity it could only check that files are whole. */
  readonly checked: 'contents' | 'structure'
  /** What it found. Without names of records. */
  readonly detail?: string
}

/** The state of the backups, for people and for metrics. */
export interface BackupFigures {
  /** The destination, without credentials. */
  readonly url: string
  readonly state: BackupState
  /** Why it is not `ok`. */
  readonly reason?: string
  /** The error code of the reason. */
  readonly code?: string
  /** The newest revision in the archive; 0 before anything is known of it. */
  readonly archivedRevision: Revision
  /** Revisions that are served and not archived. */
  readonly unarchivedRevisions: number
  /** For how long something may have been unarchived; 0 if everything is archived. */
  readonly unarchivedSeconds: number
  /** When everything was archived last. Epoch milliseconds; 0 if it never was. */
  readonly lastSuccessAt: number
  /** The newest complete base of the lineage. Epoch milliseconds; 0 if there is none. */
  readonly baseAt: number
  readonly writtenBytes: number
  readonly failures: number
  /** Parts of the journal that were compacted before they were archived, since the start. */
  readonly gaps: number
  /** How often a restore is rehearsed; 0: never. */
  readonly drillHours: number
  readonly drill?: DrillResult
}

/** What the archiver tells, for the log. Each is told once, and not at each attempt. */
export interface BackupObserver {
  /** The archiver knows where it goes on. */
  begun?(facts: { readonly lineage: string; readonly from: Revision; readonly hasBase: boolean }): void
  /** An attempt failed in another way than the one before. `code` and `message` hold no secret. */
  failing?(error: Error): void
  /** Nothing is written any more, because the archive and the journal contradict each other. */
  stopped?(error: Error): void
  /** After a failure, everything is archived again. */
  recovered?(): void
  /** The newest base is no longer in the archive. */
  lost?(facts: { readonly revision: Revision }): void
  based?(facts: { readonly revision: Revision; readonly files: number; readonly bytes: number }): void
  /** The journal was compacted before it was archived. */
  gap?(facts: { readonly from: Revision; readonly to: Revision }): void
  pruned?(facts: { readonly files: number; readonly bytes: number }): void
  drilled?(result: DrillResult): void
}
