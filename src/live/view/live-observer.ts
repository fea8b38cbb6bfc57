import type { Head, OffTrack } from '../../database/store.ts'
import type { CoordinatorError } from '../../errors.ts'
import type { Entry, Position } from '../../records/record.ts'
import type { MemoryState } from '../memory/memory-budget.ts'
import type { LiveStatus } from '../state/status.ts'
import type { View } from './view.ts'

/** The kind of answer to a commit. `replayed`: it had been accepted earlier. `failed`: an error was thrown. */
export type Answered = 'accepted' | 'unchanged' | 'conflict' | 'reused' | 'replayed' | 'failed'

/** Gets the events of the live layer, for logs, metrics and streams. It must not throw, and must not wait. */
export interface LiveObserver {
  status?(status: LiveStatus): void
  /** An entry was applied to the served view. */
  entry?(entry: Entry): void
  /** Another view is served from now on. An observer that follows entries starts again from the position of this view. */
  replaced?(view: View, reason: string): void
  /** No view is served until the next one is loaded, because there is no memory for both. */
  dropped?(reason: string): void
  /** The state of the memory has changed. */
  memory?(state: MemoryState, figures: { readonly usedBytes: number; readonly limitBytes: number }): void
  /** A commit was refused, because there is no memory for it. */
  memoryRefused?(): void
  batch?(batch: { readonly commits: number; readonly durationMs: number }): void
  /** A commit was answered. `durationMs`: the time since it was requested. */
  committed?(how: Answered, durationMs: number): void
  /** The database contradicted the view, and a new lineage was started or found. */
  contradicted?(reply: OffTrack, known: Position): void
  compacted?(head: Head): void
  /**
   * The tokens of the store have another version: see `AccessState`. Called at the start, and when an answer of the store shows a change,
   * also one that this process made itself. A late answer may show an older version again: the next one then shows the newest.
   */
  access?(version: string): void
  /**
   * How far the times of the journal are ahead of the clock of the database, in milliseconds. Called at the start, and when the difference
   * changes.
   */
  clock?(aheadMs: number): void
  /** Work in the background failed. It will be tried again. */
  backgroundFailure?(task: 'retention' | 'examination' | 'clock' | 'snapshot', error: CoordinatorError): void
}

type Told<Event extends keyof LiveObserver> = Parameters<NonNullable<LiveObserver[Event]>>

/** All who observe one live layer. */
export class LiveObservers {
  readonly #all: LiveObserver[] = []

  add(observer: LiveObserver): void {
    this.#all.push(observer)
  }

  tell<Event extends keyof LiveObserver>(event: Event, ...told: Told<Event>): void {
    for (const observer of this.#all as Record<Event, ((...told: Told<Event>) => void) | undefined>[])
      observer[event]?.(...told)
  }
}
