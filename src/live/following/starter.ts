import { type CoordinatorError, toCoordinatorError } from '../../errors.ts'
import { Backoff, pause } from '../../scheduling/backoff.ts'
import { withoutRest } from '../../scheduling/long-work.ts'
import type { StartSnapshot } from '../state/start-snapshot.ts'
import type { LiveContext } from '../view/live-context.ts'
import type { ServedView } from '../view/served-view.ts'
import type { View } from '../view/view.ts'

/**
 * Opens the store, and brings about the first view: that of the store, or, if the store cannot be reached, that of a snapshot. It goes on
 * until the store is open and its records, or those of the snapshot, are served.
 */
export class Starter {
  readonly #context: LiveContext
  readonly #served: ServedView
  readonly #first = Promise.withResolvers<void>()
  #startedAt = 0
  #connecting: Promise<void> | undefined
  /** The search for a snapshot. */
  #search: { readonly end: AbortController; readonly done: Promise<void> } | undefined
  /** Aborted when the store could not be reached for the first time. */
  readonly #failed = new AbortController()
  /** Whether a search has found nothing that can be served. */
  #inVain = false

  constructor(context: LiveContext, served: ServedView) {
    this.#context = context
    this.#served = served
  }

  /**
   * Resolves when records are served, or `stop` is aborted.
   *
   * @param connected called when the store is open, and records are served
   * @throws the first definite answer of the store, if no snapshot is served by then
   */
  start(stop: AbortSignal, connected: () => void): Promise<void> {
    this.#startedAt = performance.now()
    void this.#beginSearch(stop)
    this.#connecting = this.#connect(stop).then(
      () => {
        if (!stop.aborted) connected()
        this.#first.resolve()
      },
      async (thrown: unknown) => {
        await this.#endSearch()
        this.#first.reject(thrown)
      },
    )
    return this.#first.promise
  }

  /** Resolves when nothing of it is under way any more. Call it after `stop` was aborted. */
  async ended(): Promise<void> {
    await Promise.all([this.#connecting, this.#search?.done])
  }

  async #connect(stop: AbortSignal): Promise<void> {
    const backoff = new Backoff({ firstMs: 100, maxMs: 2_000 })
    // After a definite answer, somebody has to do something first.
    const slow = new Backoff({ firstMs: 4_000, maxMs: 30_000 })
    for (let opened = false; !stop.aborted; ) {
      try {
        if (!opened) await this.#open()
        opened = true
        await this.#endSearch()
        if (this.#served.current === undefined) await this.#served.start(stop)
        else this.#served.keepHistory(stop)
        return
      } catch (thrown) {
        const error = toCoordinatorError(thrown)
        const isDefinite = isFinal(error)
        if (isDefinite) await this.#endSearch()
        if (isDefinite && this.#served.current === undefined) throw error
        this.#context.board.failed('read', error)
        this.#failed.abort()
        // The store may answer no more after it was opened. A load must not end while a snapshot takes its place.
        if (opened && !isDefinite) await this.#beginSearch(stop)
        await (isDefinite ? slow : backoff).wait(stop)
      }
    }
  }

  async #open(): Promise<void> {
    const { heads, store } = this.#context
    heads.seen(await store.open())
  }

  /** Resolves when nothing is searched any more. */
  async #beginSearch(stop: AbortSignal): Promise<void> {
    const { findSnapshots } = this.#context.options
    if (findSnapshots === undefined || this.#inVain || this.#served.current !== undefined) return
    const end = new AbortController()
    const done = this.#serveSnapshot(findSnapshots, AbortSignal.any([stop, end.signal])).catch(
      (thrown: unknown) =>
        this.#context.observers.tell('backgroundFailure', 'snapshot', toCoordinatorError(thrown)),
    )
    this.#search = { end, done }
    await done
  }

  /** Ends the search. What it serves by then stays. */
  async #endSearch(): Promise<void> {
    this.#search?.end.abort()
    await this.#search?.done
    this.#search = undefined
  }

  async #serveSnapshot(find: () => AsyncIterable<StartSnapshot>, stop: AbortSignal): Promise<void> {
    const { snapshotSearchMs, snapshotServeMs } = this.#context.options
    // Nothing is lost if the store answers all the same: then the search ends.
    await pause(snapshotSearchMs, AbortSignal.any([stop, this.#failed.signal]))
    if (stop.aborted) return
    for await (const snapshot of find()) {
      const view = await this.#prepare(snapshot, stop)
      await pause(Math.max(0, this.#startedAt + snapshotServeMs - performance.now()), stop)
      if (stop.aborted) return
      if (view === undefined) continue
      snapshot.served()
      this.#served.serveSnapshot(view, snapshot)
      this.#first.resolve()
      return
    }
    this.#inVain = true
  }

  /** @returns `undefined` if it cannot be served, or `stop` is aborted */
  async #prepare(snapshot: StartSnapshot, stop: AbortSignal): Promise<View | undefined> {
    try {
      return await withoutRest(() => this.#served.prepare(snapshot, stop))
    } catch (thrown) {
      if (!stop.aborted) snapshot.refused(toCoordinatorError(thrown))
      return undefined
    }
  }
}

/** Whether waiting does not help. A server may come back by itself, but a local file does not. */
function isFinal(error: CoordinatorError): boolean {
  return !error.retryable || error.exitCode === 74
}
