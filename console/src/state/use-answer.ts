import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api/api-error.ts'
import { api, apiUrl, isAbort, type Query } from '../api/client.ts'
import { headRevision, returns } from './freshness.ts'
import { sessions } from './session.ts'

/** A question to the coordinator, and what is known of its answer. */
export interface Asked<T> {
  /** The newest answer. It stays while a newer one is asked for, and when that fails. */
  readonly data: T | undefined
  /** Why the newest try failed; `undefined` after a success. */
  readonly error: ApiError | undefined
  readonly loading: boolean
  /** When `data` arrived, in epoch milliseconds. */
  readonly at: number | undefined
  /** Asks again. */
  readonly retry: () => void
}

export interface AnswerOptions {
  readonly query?: Query | undefined
  /** Asks again after changes, at most once in `everyMs`. Leave it out for a moment of the past. @default false */
  readonly live?: boolean
  /** The least time between two questions, in milliseconds. @default 2_000 */
  readonly everyMs?: number
  /** Asks again after this time even without a change, in milliseconds: for what is not in the journal. */
  readonly pollMs?: number
}

/**
 * Asks `GET path`, again when the path or the query changes, after a sign-in, and when the coordinator was away. The question before is
 * aborted. A `path` of `undefined` asks nothing.
 */
export function useAnswer<T>(path: string | undefined, options: AnswerOptions = {}): Asked<T> {
  const { query, live = false, everyMs = 2_000, pollMs } = options
  const key = path === undefined ? undefined : apiUrl(path, query).href
  return useAsked<T>(key, (signal) => api.get<T>(path ?? '', { query, signal }), { live, everyMs, pollMs })
}

interface Known<T> {
  readonly key: string
  readonly data?: T
  readonly error?: ApiError
  readonly at?: number
}

/** As `useAnswer`, for an answer of several questions. It asks again when `key` changes. */
export function useAsked<T>(
  key: string | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
  {
    live = false,
    everyMs = 2_000,
    pollMs,
  }: Omit<AnswerOptions, 'query' | 'pollMs'> & { pollMs?: number | undefined } = {},
): Asked<T> {
  const [known, setKnown] = useState<Known<T>>()
  const [wish, setWish] = useState(0)
  const [loading, setLoading] = useState(key !== undefined)
  const asking = useRef(ask)
  asking.current = ask
  const session = sessions.value
  const returned = returns.value

  // The dependencies are what a new answer depends on: `returned` and `wish` only count.
  useEffect(() => {
    if (key === undefined) {
      setLoading(false)
      return undefined
    }
    const ended = new AbortController()
    setLoading(true)
    asking.current(ended.signal).then(
      (data) => {
        if (ended.signal.aborted) return
        setKnown({ key, data, at: Date.now() })
        setLoading(false)
      },
      (thrown: unknown) => {
        if (ended.signal.aborted || isAbort(thrown)) return
        const error = asApiError(thrown)
        // The old answer stays visible, unless it answers another question.
        setKnown((before) => (before?.key === key ? { ...before, error } : { key, error }))
        setLoading(false)
      },
    )
    return () => ended.abort()
  }, [key, session, returned, wish])

  useEffect(() => {
    if (!live || key === undefined) return undefined
    return eachTurn(everyMs, () => setWish((count) => count + 1))
  }, [live, key, everyMs])

  useEffect(() => {
    if (pollMs === undefined || key === undefined) return undefined
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setWish((count) => count + 1)
    }, pollMs)
    return () => clearInterval(timer)
  }, [pollMs, key])

  // The answer to another question is not shown under the new one, except while live answers follow each other.
  const shown = known?.key === key ? known : undefined
  return {
    data: shown?.data,
    error: shown?.error,
    // Of a new question there is nothing yet, and it is asked only after this rendering.
    loading: loading || (key !== undefined && shown === undefined),
    at: shown?.at,
    retry: () => setWish((count) => count + 1),
  }
}

/** Calls back after new revisions, at most once in a time, and always after the last one. */
function eachTurn(everyMs: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let actedAt = Date.now()
  let seen = headRevision.peek()
  const end = headRevision.subscribe((revision) => {
    if (revision === seen || timer !== undefined) return
    timer = setTimeout(
      () => {
        timer = undefined
        actedAt = Date.now()
        seen = headRevision.peek()
        act()
      },
      Math.max(0, everyMs - (Date.now() - actedAt)),
    )
  })
  return () => {
    clearTimeout(timer)
    end()
  }
}

/** Also a fault of the console itself is shown, and not only written to the console of the browser. */
function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  return new ApiError({
    status: 0,
    code: 'CONSOLE_FAULT',
    detail: thrown instanceof Error ? thrown.message : String(thrown),
    hint: 'This is a fault of the console. Reload the page; if it comes back, report it.',
  })
}
