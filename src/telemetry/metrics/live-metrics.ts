import { databaseSeconds } from './database-metrics.ts'
import type { Meters } from './meters.ts'
import { each } from './series.ts'

/** How commits are answered. `replayed`: the commit had been accepted before. */
const commitOutcomes = ['accepted', 'replayed', 'unchanged', 'conflict', 'reused', 'failed'] as const
const memoryStates = ['free', 'full', 'exhausted'] as const

interface LiveFigures {
  readonly queueDepth: number
  readonly headRevision: number
  readonly viewRevision: number
  readonly floor: number
  /** Whether the database has a history that may not take the place of the served one. */
  readonly isReplaced: boolean
  /** How long ago the store confirmed that the view was complete, in milliseconds. */
  readonly ageMs: number
  readonly refusedRecords: number
  /** Reads of the past. */
  readonly past: { readonly reading: number; readonly waiting: number; readonly refused: number }
}

/** The heap, in bytes. */
interface MemoryFigures {
  readonly state: (typeof memoryStates)[number]
  readonly usedBytes: number
  readonly limitBytes: number
  /** History that is kept in memory. */
  readonly journalBytes: number
}

export interface LiveSources {
  live(): LiveFigures
  memory(): MemoryFigures
}

/** Commits, the live view, its memory, and reads of the past. */
export function liveMetrics(meters: Meters, backend: string, sources: Partial<LiveSources>) {
  const live = () => sources.live?.()
  const memory = () => sources.memory?.()
  const commits = meters.counter(
    'coordinator_commits_total',
    `Commits that were answered, by outcome (${commitOutcomes.join(', ')}).`,
    { backend: [backend], outcome: commitOutcomes },
  )
  const outcomes = each(commitOutcomes, (outcome) => commits.of({ backend, outcome }))
  const durations = meters.histogram(
    'coordinator_commit_duration_seconds',
    'How long commits took, from the request until they were durable and visible.',
    { labels: { backend: [backend] }, bounds: databaseSeconds },
  )
  const duration = durations.of({ backend })
  const batchSizes = meters.histogram(
    'coordinator_commit_batch_size',
    'How many commits went to the database together.',
    { labels: { backend: [backend] }, bounds: [1, 2, 5, 10, 20, 50, 100, 200, 512] },
  )
  const batchSize = batchSizes.of({ backend })
  const count = (name: string, help: string) => meters.counter(name, help, {}).of({})
  const reloads = count(
    'coordinator_view_reloads_total',
    'How often the live view was rebuilt after the first load.',
  )
  const forks = count(
    'coordinator_history_forks_total',
    'How often the database contradicted known revisions, so that a new lineage began.',
  )
  const memoryRefused = count(
    'coordinator_memory_refused_commits_total',
    'Commits that were refused because there was no memory for them.',
  )
  meters.gauges({
    coordinator_commit_queue_depth: ['Commits that have no answer yet.', () => live()?.queueDepth],
    coordinator_head_revision: ['Newest revision that the database has named.', () => live()?.headRevision],
    coordinator_view_revision: ['Revision of the live view.', () => live()?.viewRevision],
    coordinator_floor_revision: [
      'Oldest revision that the database can still show exactly.',
      () => live()?.floor,
    ],
    coordinator_history_replaced: [
      '1 while the database has another history than the served one, and nobody has accepted it; otherwise 0.',
      () => Number(live()?.isReplaced ?? false),
    ],
    coordinator_view_lag_revisions: [
      'Revisions that the live view is behind the database.',
      () => {
        const { headRevision = 0, viewRevision = 0 } = live() ?? {}
        return Math.max(0, headRevision - viewRevision)
      },
    ],
    coordinator_view_age_seconds: [
      'Time since the database confirmed that the live view is complete.',
      () => (live()?.ageMs ?? 0) / 1_000,
    ],
    coordinator_view_refused_records: [
      'Records that are not served because they break the rules of their kind.',
      () => live()?.refusedRecords,
    ],
    coordinator_memory_limit_bytes: [
      'Size of the heap at which the process would die, in bytes.',
      () => memory()?.limitBytes,
    ],
    coordinator_memory_used_bytes: [
      'Estimate of the heap in use without garbage, in bytes.',
      () => memory()?.usedBytes,
    ],
    coordinator_memory_journal_bytes: [
      'Estimate of the memory that history takes, where it is kept in memory, in bytes.',
      () => memory()?.journalBytes,
    ],
    coordinator_past_reads_waiting: [
      'Reads of the past that wait for a connection.',
      () => live()?.past.waiting,
    ],
    coordinator_past_reads_under_way: [
      'Reads of the past that the database is working on.',
      () => live()?.past.reading,
    ],
  })
  meters.gaugeBy(
    { state: memoryStates },
    {
      name: 'coordinator_memory_state',
      help: '1 for the present state (free; full: writes that need memory are refused; exhausted: the journal is not followed), 0 for the others.',
      read: ({ state }) => Number(state === (memory()?.state ?? 'free')),
    },
  )
  meters.totals({
    coordinator_past_reads_refused_total: [
      'Reads of the past that were refused because too many waited, or because they waited too long.',
      () => live()?.past.refused,
    ],
  })
  return {
    /** A batch was answered. */
    batch: ({ commits }: { readonly commits: number }): void => batchSize.observe(commits),

    /** A commit was answered, or failed. */
    committed(outcome: (typeof commitOutcomes)[number], durationMs: number): void {
      outcomes[outcome].add()
      duration.observe(durationMs / 1_000)
    },

    /** The live view was rebuilt. */
    reloaded: (): void => reloads.add(),

    /** A new lineage began. */
    forked: (): void => forks.add(),

    /** A commit was refused, because there was no memory for it. */
    memoryRefused: (): void => memoryRefused.add(),
  }
}
