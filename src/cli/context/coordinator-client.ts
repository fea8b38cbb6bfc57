import { userInfo } from 'node:os'
import { CoordinatorError, ERRORS, type ErrorCode, type Problem } from '../../errors.ts'
import { isCertificateCode } from '../../text/certificate-codes.ts'
import { commandHint } from './command-hint.ts'
import type { Credential } from './credential.ts'
import { refusalHint } from './refusal-hint.ts'

/** An answer of the coordinator. The body is JSON if the answer was, else its text. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export interface RequestOptions {
  readonly body?: string
  /** Whether an answer with this status is returned. Others are thrown as errors. @default true for every 2xx */
  readonly accept?: (status: number) => boolean
  /** How long the answer may take. @default 30_000 (milliseconds) */
  readonly timeoutMs?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Ends the request. What it then throws has the reason of this signal as its cause. */
  readonly signal?: AbortSignal | undefined
}

export interface DownloadOptions extends Pick<RequestOptions, 'headers' | 'signal'> {
  /** How long the connection may be silent, in milliseconds. @default no limit */
  readonly silenceMs?: number
}

/** Talks to a running coordinator over HTTP, for the commands. */
export class CoordinatorClient {
  readonly baseUrl: string
  readonly #credential: Credential | undefined
  readonly #actor: string

  /**
   * @param baseUrl without a slash at its end
   * @param credential sent to this URL only. A redirect is never followed.
   * @param command the command that histories name after the user. @default none
   */
  constructor(baseUrl: string, credential?: Credential, command?: string) {
    this.baseUrl = baseUrl
    this.#credential = credential
    this.#actor = command === undefined ? actor() : `${actor()} ${command}`
  }

  get(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.#request('GET', path, options)
  }

  post(path: string, body: string, options: RequestOptions = {}): Promise<Answer> {
    return this.#request('POST', path, { ...options, body })
  }

  put(path: string, body: string, options: RequestOptions = {}): Promise<Answer> {
    return this.#request('PUT', path, { ...options, body })
  }

  delete(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.#request('DELETE', path, options)
  }

  /**
   * Reads an answer of any type piece by piece, however long it is.
   *
   * @throws COORD_CLI_UNREACHABLE, also if the answer breaks off, or the error in the answer of the coordinator
   */
  async *download(
    path: string,
    { headers, signal, silenceMs }: DownloadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const silence = new AbortController()
    const endInSilence = () => silence.abort(new DOMException('', 'TimeoutError'))
    const timer = silenceMs === undefined ? undefined : setTimeout(endInSilence, silenceMs)
    try {
      const sent = fetch(this.baseUrl + path, {
        redirect: 'manual',
        headers: { ...this.#headers(), ...headers },
        signal: signal === undefined ? silence.signal : AbortSignal.any([silence.signal, signal]),
      })
      const response = await this.#reach(sent)
      if (!isSuccess(response.status)) throw this.#errorOf(await this.#answer(response))
      timer?.refresh()
      if (response.body === null) return
      try {
        for await (const chunk of response.body) {
          timer?.refresh()
          yield chunk
        }
      } catch (thrown) {
        throw this.#unreachable(thrown, 'ended its answer too early')
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** @throws COORD_CLI_UNREACHABLE, or the error in the answer of the coordinator */
  async #request(method: string, path: string, options: RequestOptions): Promise<Answer> {
    const { body, accept = isSuccess, timeoutMs = 30_000, headers, signal } = options
    const inTime = AbortSignal.timeout(timeoutMs)
    const sent = fetch(this.baseUrl + path, {
      method,
      signal: signal === undefined ? inTime : AbortSignal.any([inTime, signal]),
      redirect: 'manual',
      headers: {
        ...this.#headers(),
        ...headers,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    })
    const answer = await this.#answer(await this.#reach(sent))
    if (!accept(answer.status)) throw this.#errorOf(answer)
    return answer
  }

  #headers(): Record<string, string> {
    const token = this.#credential?.token.reveal()
    return {
      'x-coordinator-actor': this.#actor,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
  }

  #errorOf(answer: Answer): CoordinatorError {
    const error = errorOf(answer, this.baseUrl)
    return error.with({ hint: refusalHint(error, this.#credential) ?? commandHint(error.hint) })
  }

  async #answer(response: Response): Promise<Answer> {
    const text = await this.#reach(response.text())
    return { status: response.status, headers: response.headers, body: parse(this.#withoutToken(text)) }
  }

  /** A server may send the token back, and commands print parts of answers. */
  #withoutToken(text: string): string {
    return this.#credential === undefined
      ? text
      : text.replaceAll(this.#credential.token.reveal(), '[hidden]')
  }

  #reach<T>(work: Promise<T>): Promise<T> {
    return work.catch((thrown) => {
      throw this.#unreachable(thrown, 'does not answer')
    })
  }

  #unreachable(cause: unknown, fault: string): CoordinatorError {
    const reason = causeOf(cause)
    return new CoordinatorError('COORD_CLI_UNREACHABLE', {
      detail: `${this.baseUrl} ${fault} (${reason}).`,
      ...hintFor(reason, this.baseUrl),
      cause,
    })
  }
}

const certificateHint =
  'Use the host name that its certificate is for. If the certificate comes from your own authority, set NODE_EXTRA_CA_CERTS to the file with the certificate of the authority.'

const selfSignedHint =
  'The certificate is self-signed: set NODE_EXTRA_CA_CERTS to the file of the certificate.'

/** What to do about a connection that failed. @returns nothing where the hint of the table is enough */
function hintFor(reason: string, baseUrl: string): { readonly hint?: string } {
  if (reason === 'DEPTH_ZERO_SELF_SIGNED_CERT') return { hint: selfSignedHint }
  if (isCertificateCode(reason)) return { hint: certificateHint }
  // A port with TLS closes a connection without TLS.
  if (reason === 'UND_ERR_SOCKET' && baseUrl.startsWith('http:'))
    return { hint: `${ERRORS.COORD_CLI_UNREACHABLE.hint} If it uses TLS, give a URL with https.` }
  return {}
}

/** The error for an answer that does not look like that of a coordinator. */
export function notCoordinator(baseUrl: string, status: number): CoordinatorError {
  return new CoordinatorError('COORD_CLI_UNREACHABLE', {
    detail: `${baseUrl} answered ${status}, and not as a coordinator does.`,
    hint: 'Check COORDINATOR_URL or --url: another program or a proxy answers there.',
    extra: { status },
  })
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** A body that is not JSON stays text: a proxy may have answered. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown cause'
  if (thrown.name === 'TimeoutError') return 'no answer in time'
  const cause = thrown.cause as { code?: unknown; message?: unknown } | undefined
  return String(cause?.code ?? cause?.message ?? thrown.message)
}

function errorOf({ status, headers, body }: Answer, baseUrl: string): CoordinatorError {
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const code = problem['code']
  if (typeof code !== 'string') return notCoordinator(baseUrl, status)
  if (code === 'COORD_QUERY_INVALID')
    return new CoordinatorError(code, {
      detail: commandHint(optionFaults(problem['errors']) ?? String(problem['detail'] ?? code)),
      hint: 'Run the command with --help.',
      extra: { status, code },
    })
  const { outcome } = problem
  const retryAfter = Number.parseInt(headers.get('retry-after') ?? '', 10)
  return new CoordinatorError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'COORD_INTERNAL', {
    detail: String(problem['detail'] ?? problem['title'] ?? code),
    extra: { status, code },
    ...(Array.isArray(problem['errors']) ? { errors: problem['errors'].filter(isProblem) } : {}),
    ...(typeof problem['hint'] === 'string' ? { hint: problem['hint'] } : {}),
    ...(outcome === 'unknown' || outcome === 'not_written' ? { outcome } : {}),
    ...(Number.isNaN(retryAfter) ? {} : { retryAfterSeconds: retryAfter }),
  })
}

function isProblem(value: unknown): value is Problem {
  const { path, message } = (value ?? {}) as Partial<Record<string, unknown>>
  return typeof path === 'string' && typeof message === 'string'
}

/** Query parameters that are arguments of a command. The others are options with the same words in their names. */
const argumentNames: readonly string[] = ['of', 'from', 'to']

/** Names query parameters as the command does: `asOf` is its `--as-of`. */
function optionFaults(errors: unknown): string | undefined {
  const faults = (Array.isArray(errors) ? errors : []) as { path?: unknown; message?: unknown }[]
  const texts = faults.map(({ path, message }) => {
    const name = String(path).replace(/^query\./, '')
    const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return `${argumentNames.includes(name) ? name : option} ${String(message)}`
  })
  return texts.length === 0 ? undefined : texts.join('; ')
}

/** The author that the coordinator records for changes: `cli:<user>`. */
export function actor(): string {
  let user = 'unknown'
  try {
    user = userInfo().username
  } catch {
    // A container may run under a uid without a name.
  }
  return `cli:${encodeURIComponent(user)}`
}
