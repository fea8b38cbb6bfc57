/** Why a document could not be fetched: a text for the log, without secrets. */
export class FetchFault extends Error {
  override readonly name = 'FetchFault'
  /** HTTP status, if the server answered. */
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

export interface FetchJsonOptions {
  readonly fetch: typeof fetch
  /** For the whole answer, in milliseconds. */
  readonly timeoutMs: number
  /** Gives up when it is aborted. */
  readonly signal: AbortSignal
}

/** The largest document, in bytes, after it was unpacked. */
export const DOCUMENT_MAX_BYTES = 65_536

/**
 * Fetches a small JSON document. Only status 200 counts. Redirects are not followed: they could lead to a server that nobody meant.
 *
 * @throws FetchFault
 */
export async function fetchJson(url: URL, options: FetchJsonOptions): Promise<unknown> {
  const shown = url.origin + url.pathname
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)])
  try {
    const response = await options.fetch(url, {
      redirect: 'manual',
      signal,
      headers: { accept: 'application/json, application/jwk-set+json' },
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new FetchFault(`${shown} answered ${describeStatus(response)}`, response.status)
    }
    return parse(await readBody(response, shown), shown)
  } catch (thrown) {
    if (thrown instanceof FetchFault) throw thrown
    throw new FetchFault(`${shown} ${describeFailure(thrown, options)}`)
  }
}

function describeStatus({ status }: Response): string {
  const redirect = status >= 300 && status < 400
  return redirect
    ? `${status}: redirects are not followed; give the address that it leads to`
    : String(status)
}

async function readBody(response: Response, shown: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop closes the connection.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > DOCUMENT_MAX_BYTES)
      throw new FetchFault(`${shown} answered more than ${DOCUMENT_MAX_BYTES} bytes`, response.status)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string, shown: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const page = text.trimStart().startsWith('<')
    throw new FetchFault(`${shown} answered ${page ? 'a web page' : 'something that is not JSON'}`, 200)
  }
}

/** The messages of errors may hold the whole URL, and with it secrets. Their codes and names do not. */
function describeFailure(thrown: unknown, { timeoutMs, signal }: FetchJsonOptions): string {
  if (signal.aborted) return 'was given up, because the coordinator stops'
  if (!(thrown instanceof Error)) return 'cannot be reached'
  if (thrown.name === 'TimeoutError') return `did not answer within ${timeoutMs} ms`
  const cause = thrown.cause instanceof Error ? thrown.cause : thrown
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
  return `cannot be reached (${code})`
}
