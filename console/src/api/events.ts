import { signal } from '@preact/signals'
import { demanded } from '../state/credential.ts'
import { noteRevision } from '../state/freshness.ts'
import { sessions } from '../state/session.ts'
import { ApiError } from './api-error.ts'
import { chunksOf, isAbort, request } from './client.ts'
import { EventLines } from './event-lines.ts'
import type { JournalEntry } from './types.ts'

/** `live`: changes arrive at once. `waiting`: it connects, or the tab is hidden. `lost`: the last try failed; another follows. */
export type FeedState = 'live' | 'waiting' | 'lost'

export const feedState = signal<FeedState>('waiting')

/** The coordinator sends a comment every 15 seconds. After this silence the connection counts as lost, in milliseconds. */
const SILENCE_MS = 40_000
const BACKOFF_MIN_MS = 1_000
const BACKOFF_MAX_MS = 30_000

type Listener = (entry: JournalEntry) => void

const listeners = new Set<Listener>()
/** The position of the last event, or else the revision at which the connection began: the next connection continues there. */
let position: string | undefined
let running: AbortController | undefined

/**
 * Calls the listener for every change from now on, in order and each once. All listeners share one connection, because browsers open
 * only six to a host; it is closed while the tab is hidden, and what was missed follows afterwards.
 *
 * `EventSource` is not used: it sends no credential.
 *
 * @returns ends it
 */
export function follow(listener: Listener): () => void {
  listeners.add(listener)
  connectOrEnd()
  return () => {
    listeners.delete(listener)
    connectOrEnd()
  }
}

document.addEventListener('visibilitychange', connectOrEnd)
sessions.subscribe(() => {
  running?.abort()
  running = undefined
  connectOrEnd()
})

function connectOrEnd(): void {
  const wanted = listeners.size > 0 && document.visibilityState === 'visible'
  if (wanted === (running !== undefined)) return
  if (wanted) {
    running = new AbortController()
    void stay(running.signal)
  } else {
    running?.abort()
    running = undefined
    feedState.value = 'waiting'
    // Whoever listens next reads the present first.
    if (listeners.size === 0) position = undefined
  }
}

/** Connects again and again until the signal. */
async function stay(ended: AbortSignal): Promise<void> {
  let waitMs = BACKOFF_MIN_MS
  while (!ended.aborted) {
    try {
      await readStream(ended, () => {
        waitMs = BACKOFF_MIN_MS
        feedState.value = 'live'
      })
    } catch (thrown) {
      if (ended.aborted) return
      if (isForeign(thrown)) position = undefined
      else if (!(thrown instanceof ApiError) && !isAbort(thrown) && !(thrown instanceof TypeError))
        throw thrown
    }
    if (ended.aborted) return
    feedState.value = 'lost'
    // Without a credential nothing changes until somebody signs in, and that begins anew.
    if (demanded.peek() !== undefined) return
    await pause(waitMs, ended)
    waitMs = Math.min(BACKOFF_MAX_MS, waitMs * 2)
  }
}

async function readStream(ended: AbortSignal, opened: () => void): Promise<void> {
  const silent = new AbortController()
  let timer = setTimeout(() => silent.abort(), SILENCE_MS)
  try {
    const signal = AbortSignal.any([ended, silent.signal])
    const asked = { signal, patienceMs: null, query: { after: position } }
    const { body, headers } = await request('GET', '/changes', asked, 'text/event-stream')
    if (body === null) return
    // Until the first event, this is where the connection began: what is stored before the next one must not be missed.
    position ??= headers.get('X-Coordinator-Revision') ?? undefined
    opened()
    const lines = new EventLines()
    for await (const text of chunksOf(body)) {
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), SILENCE_MS)
      for (const { id, type, data } of lines.read(text)) {
        position = id ?? position
        if (type === 'change') tell(JSON.parse(data) as JournalEntry)
      }
    }
  } finally {
    clearTimeout(timer)
  }
}

function tell(entry: JournalEntry): void {
  noteRevision(entry.revision)
  for (const listener of listeners) listener(entry)
}

/** Whether the position means nothing any more: the journal is compacted, or another one. */
function isForeign(thrown: unknown): boolean {
  return (
    thrown instanceof ApiError &&
    ['COORD_REVISION_COMPACTED', 'COORD_LINEAGE_CHANGED', 'COORD_REVISION_WAIT_TIMEOUT'].includes(thrown.code)
  )
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    ended.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
