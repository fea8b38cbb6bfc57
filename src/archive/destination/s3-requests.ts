import { webcrypto } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { Agent, request } from 'undici'
import packageJson from '../../../package.json' with { type: 'json' }
import { answerFault, networkFault, s3TooLate, strangeAnswer } from './s3-fault.ts'
import type { S3Settings } from './s3-settings.ts'

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  /** The key of an object; that of the bucket itself by default. */
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** The most bytes that the answer may have. */
  readonly answerBytes: number
  /** The error of a longer answer. @default it is none of S3 */
  readonly tooLong?: () => Error
  /** Statuses besides 200 that the caller understands. @default none */
  readonly accepts?: readonly number[]
  readonly signal: AbortSignal | undefined
}

export interface S3Response {
  readonly status: number
  readonly body: Buffer
  /** The header `content-length`, if it is a number. */
  readonly bytes: number | undefined
}

/** An answer with an error has at most this many bytes. */
const FAULT_BYTES = 65_536
const CONNECT_TIMEOUT_MS = 10_000

/** Sends signed requests to one bucket. Each is one attempt, with one deadline for all of it, down to the last byte of the answer. */
export class S3Requests {
  readonly #settings: S3Settings
  readonly #timeoutMs: number
  readonly #shownUrl: string
  readonly #agent: Agent
  /** Keys for signing, which are the same for a day. */
  readonly #signingKeys = new Map<string, ArrayBuffer>()

  constructor(settings: S3Settings, options: { readonly timeoutMs: number; readonly shownUrl: string }) {
    this.#settings = settings
    this.#timeoutMs = options.timeoutMs
    this.#shownUrl = options.shownUrl
    this.#agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } })
  }

  /** @throws COORD_ARCHIVE_UNREACHABLE, COORD_ARCHIVE_REFUSED, COORD_ARCHIVE_FULL; the reason of the signal */
  async send(wish: S3Request): Promise<S3Response> {
    wish.signal?.throwIfAborted()
    const deadline = AbortSignal.timeout(this.#timeoutMs)
    const signal = wish.signal === undefined ? deadline : AbortSignal.any([wish.signal, deadline])
    try {
      return await this.#exchange(wish, signal)
    } catch (error) {
      if (wish.signal?.aborted === true) throw wish.signal.reason
      if (deadline.aborted) throw s3TooLate(this.#shownUrl, this.#timeoutMs)
      throw networkFault(error, this.#shownUrl)
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #exchange(wish: S3Request, signal: AbortSignal): Promise<S3Response> {
    const { url, headers } = await this.#sign(wish)
    const response = await request(url, {
      method: wish.method,
      headers: { ...headers, 'user-agent': `coordinator/${packageJson.version}` },
      body: wish.body ?? null,
      dispatcher: this.#agent,
      signal,
    })
    const isAccepted = response.statusCode === 200 || wish.accepts?.includes(response.statusCode) === true
    const body = await this.#receive(response.body, isAccepted ? wish : { answerBytes: FAULT_BYTES })
    if (!isAccepted)
      throw answerFault(
        {
          status: response.statusCode,
          region: headerOf(response.headers, 'x-amz-bucket-region'),
          retryAfter: headerOf(response.headers, 'retry-after'),
          body: body.toString(),
        },
        this.#shownUrl,
      )
    const length = headerOf(response.headers, 'content-length')
    const bytes = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
    return { status: response.statusCode, body, bytes }
  }

  async #receive(
    stream: AsyncIterable<Buffer>,
    { answerBytes, tooLong }: Pick<S3Request, 'answerBytes' | 'tooLong'>,
  ): Promise<Buffer> {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of stream) {
      length += chunk.length
      if (length > answerBytes)
        throw tooLong?.() ?? strangeAnswer(this.#shownUrl, `has more than ${answerBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, length)
  }

  async #sign({
    method,
    key,
    query = {},
    body,
  }: S3Request): Promise<{ url: string; headers: Record<string, string> }> {
    const { bucketUrl, accessKeyId, secretAccessKey, sessionToken, region } = this.#settings
    const url = new URL(bucketUrl)
    if (key !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodedKey(key)}`
    // Written by hand: `searchParams` writes a space as `+`, which is not what is signed.
    url.search = Object.entries(query)
      .map((pair) => pair.map(encodedPart).join('='))
      .join('&')
    const sum = await webcrypto.subtle.digest('SHA-256', body ?? new Uint8Array())
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { 'x-amz-content-sha256': Buffer.from(sum).toString('hex') },
      accessKeyId: accessKeyId.reveal(),
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
      service: 's3',
      region,
      cache: this.#signingKeys,
    })
    const signed = await signer.sign()
    return { url: url.href, headers: Object.fromEntries(signed.headers) }
  }
}

function encodedKey(key: string): string {
  return key.split('/').map(encodedPart).join('/')
}

/** As RFC 3986 wants it, and S3 signs it. */
function encodedPart(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function headerOf(headers: Record<string, string | string[] | undefined>, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}
