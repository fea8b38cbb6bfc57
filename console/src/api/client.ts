import { rootUrl } from '../root-url.ts'
import { demanded, token } from '../state/credential.ts'
import { noteAnswer, noteSilence } from '../state/freshness.ts'
import { ApiError, errorOf, tooSlow, unreachable } from './api-error.ts'

/** Members of a query string. `undefined` leaves a member out; a list repeats it. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface AskOptions {
  readonly query?: Query | undefined
  /** Ends the question, and rejects with an `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

export interface SendOptions extends AskOptions {
  /** Sent as JSON. */
  readonly body?: unknown
  /** How long the answer may take, in milliseconds; `null` for a stream, which has no end. @default 60_000 */
  readonly patienceMs?: number | null
}

/** The coordinator ends its own questions earlier. */
const PATIENCE_MS = 60_000

/**
 * The HTTP interface of the coordinator. Paths have no prefix: `/services`.
 *
 * Every function throws `ApiError`, and an `AbortError` after `signal`.
 */
export const api = {
  get: <T>(path: string, options: AskOptions = {}): Promise<T> => ask<T>('GET', path, options),
  post: <T>(path: string, options: SendOptions = {}): Promise<T> => ask<T>('POST', path, options),
  delete: <T>(path: string, options: AskOptions = {}): Promise<T> => ask<T>('DELETE', path, options),

  /** The answer as text, such as an export of the graph. */
  async text(path: string, options: AskOptions & { readonly accept?: string } = {}): Promise<string> {
    const response = await request('GET', path, options, options.accept ?? '*/*')
    return response.text()
  },

  /** The answer as one JSON value for each line (`application/x-ndjson`), while it arrives. */
  async *lines<T>(path: string, options: AskOptions = {}): AsyncGenerator<T> {
    const response = await request('GET', path, options, 'application/x-ndjson')
    if (response.body === null) return
    let rest = ''
    for await (const chunk of chunksOf(response.body)) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') yield JSON.parse(line) as T
    }
    if (rest !== '') yield JSON.parse(rest) as T
  },
}

/** The address of a path, for links and for `fetch`. */
export function apiUrl(path: string, query: Query = {}): URL {
  const url = new URL(rootUrl)
  // As a path: the credential goes wherever this leads.
  url.pathname += path.replace(/^\/+/, '')
  for (const [name, value] of Object.entries(query))
    for (const text of [value].flat()) if (text !== undefined) url.searchParams.append(name, String(text))
  return url
}

/**
 * A response with status 2xx. `fetch` with the credential, and with what every answer tells about itself.
 *
 * @throws ApiError, and the reason of `signal`
 */
export async function request(
  method: string,
  path: string,
  { query, signal, body, patienceMs = PATIENCE_MS }: SendOptions,
  accept = 'application/json',
): Promise<Response> {
  const patience = patienceMs === null ? undefined : AbortSignal.timeout(patienceMs)
  const headers = new Headers({ Accept: accept })
  const used = token.peek()
  if (used !== undefined) headers.set('Authorization', `Bearer ${used}`)
  if (body !== undefined) headers.set('Content-Type', 'application/json')
  // Half of an answer that nobody waited for any more says nothing.
  const throwIfGivenUp = (thrown: unknown) => {
    if (signal?.aborted) throw thrown
    if (patience?.aborted) throw tooSlow(Number(patienceMs) / 1_000)
  }
  let response: Response
  try {
    response = await fetch(apiUrl(path, query), {
      method,
      headers,
      signal: AbortSignal.any([signal, patience].filter((given) => given !== undefined)),
      credentials: 'omit',
      cache: 'no-cache',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (thrown) {
    throwIfGivenUp(thrown)
    noteSilence()
    throw unreachable()
  }
  if (response.ok) {
    noteAnswer(response)
    return response
  }
  const error = await errorOf(response, throwIfGivenUp)
  // A proxy whose coordinator is away answers in its place.
  if (error.code === 'CONSOLE_FOREIGN_ANSWER' && error.status >= 502) noteSilence()
  else noteAnswer(response)
  // An older question must not open the sign-in again after somebody has signed in.
  if (error.status === 401 && used === token.peek()) demanded.value = error
  throw error
}

async function ask<T>(method: string, path: string, options: SendOptions): Promise<T> {
  const response = await request(method, path, options)
  try {
    return (await response.json()) as T
  } catch (thrown) {
    if (options.signal?.aborted) throw thrown
    throw new ApiError({
      status: response.status,
      code: 'CONSOLE_BROKEN_ANSWER',
      detail: 'The answer ended early, or is not JSON.',
      hint: 'Try again. If it stays so, check the proxy between this browser and the coordinator.',
    })
  }
}

/** Safari cannot iterate over a stream. */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    // The reader may have stopped in the middle, and nobody needs the rest.
    await reader.cancel().catch(() => undefined)
  }
}

/** Whether a fault only says that nobody wants the answer any more. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError'
}
