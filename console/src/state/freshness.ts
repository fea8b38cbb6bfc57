import { signal } from '@preact/signals'

/** What the newest answer told about the age of what it shows. */
export interface Freshness {
  /** The code of the reason why the answers may be old (`X-Coordinator-Degraded`). */
  readonly degraded: string | undefined
  /** Seconds since the database confirmed the records, if degraded. */
  readonly ageSeconds: number | undefined
  readonly lineage: string | undefined
  /** Epoch milliseconds. */
  readonly heardAt: number
}

export const freshness = signal<Freshness | undefined>(undefined)

/** The newest revision that any answer or event has named. */
export const headRevision = signal(0)

/** When the coordinator first left a question unanswered, in epoch milliseconds; `undefined` while it answers. */
export const silentSince = signal<number | undefined>(undefined)

/** Counts how often the coordinator came back. What failed meanwhile is asked again. */
export const returns = signal(0)

/** Counts how often the coordinator had another history than before: its revisions have nothing to do with the earlier ones. */
export const histories = signal(0)

export function noteAnswer({ headers }: Response): void {
  const age = headers.get('Age')
  const lineage = headers.get('X-Coordinator-Lineage') ?? undefined
  if (silentSince.peek() !== undefined) {
    silentSince.value = undefined
    returns.value = returns.peek() + 1
  }
  // Public answers say nothing about the records.
  if (lineage === undefined) return
  const before = freshness.peek()
  const degraded = headers.get('X-Coordinator-Degraded') ?? undefined
  const ageSeconds = age === null ? undefined : Number(age)
  // After a restore, revisions begin again: the old ones mean nothing.
  if (before?.lineage !== undefined && before.lineage !== lineage) {
    headRevision.value = 0
    histories.value = histories.peek() + 1
  }
  noteRevision(Number(headers.get('X-Coordinator-Revision') ?? 0))
  freshness.value = { degraded, ageSeconds, lineage, heardAt: Date.now() }
}

export function noteSilence(): void {
  silentSince.value ??= Date.now()
}

export function noteRevision(revision: number): void {
  if (revision > headRevision.peek()) headRevision.value = revision
}
