import { FILE_BYTES_MAX } from '../format/archive-format.ts'
import { damaged } from '../format/damaged.ts'
import { checkName } from './check-name.ts'
import type { ArchivedFile, Destination } from './destination.ts'
import { inOrder } from './in-order.ts'
import { strangeAnswer } from './s3-fault.ts'
import { S3Requests } from './s3-requests.ts'
import type { S3Settings } from './s3-settings.ts'
import { childrenOf, parseXml, textOf, type XmlElement } from './xml.ts'

export interface S3Options extends S3Settings {
  /** How long one request may take, with its whole answer, in milliseconds. @default 60_000 */
  readonly timeoutMs?: number
}

/** A page of a list has up to 1,000 names. */
const LIST_BYTES = 4 * 1_048_576

/**
 * An archive in a bucket of S3: of AWS, Cloudflare R2, MinIO, Supabase Storage. A file is written by one PUT, whose content is signed, so it
 * is there whole or not at all. Conditional writes are not used, because not every server has them: the names of files are unique.
 */
export class S3Destination implements Destination {
  readonly shownUrl: string
  readonly #prefix: string
  readonly #requests: S3Requests

  constructor({ timeoutMs = 60_000, ...settings }: S3Options) {
    const { bucket, prefix } = settings
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.shownUrl = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
    this.#requests = new S3Requests(settings, { timeoutMs, shownUrl: this.shownUrl })
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ArchivedFile> {
    const files: ArchivedFile[] = []
    let token: string | undefined
    do {
      const page = await this.#listPage(prefix, token, signal)
      files.push(...page.files)
      if (page.next !== undefined && page.next === token) throw this.#noList()
      token = page.next
    } while (token !== undefined)
    // Directory buckets of AWS list in any order.
    yield* inOrder(files)
  }

  async read(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    checkName(name)
    const response = await this.#requests.send({
      ...{ method: 'GET', key: this.#prefix + name, answerBytes: FILE_BYTES_MAX, signal },
      accepts: [404],
      tooLong: () => damaged(name, `It has more than ${FILE_BYTES_MAX} bytes.`),
    })
    if (response.status === 200) return response.body
    if (textOf(parseXml(response.body.toString()), 'Code') === 'NoSuchBucket')
      await this.#listPage(name, undefined, signal)
    throw damaged(name, 'There is no such file.')
  }

  async write(name: string, content: Uint8Array, signal?: AbortSignal): Promise<void> {
    checkName(name)
    if ((await this.#sizeOf(name, signal)) === content.length) return
    await this.#requests.send({
      ...{ method: 'PUT', key: this.#prefix + name, body: content, answerBytes: LIST_BYTES, signal },
    })
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    checkName(name)
    const { status, body } = await this.#requests.send({
      ...{ method: 'DELETE', key: this.#prefix + name, answerBytes: LIST_BYTES, signal },
      accepts: [204, 404],
    })
    if (status === 404 && textOf(parseXml(body.toString()), 'Code') === 'NoSuchBucket')
      await this.#listPage(name, undefined, signal)
  }

  close(): Promise<void> {
    return this.#requests.close()
  }

  /** @returns `undefined` if there is no such file, or the server does not say so: the request after it tells why */
  async #sizeOf(name: string, signal: AbortSignal | undefined): Promise<number | undefined> {
    const response = await this.#requests.send({
      ...{ method: 'HEAD', key: this.#prefix + name, answerBytes: 0, signal },
      // The answer to HEAD has no body, and so no reason.
      accepts: [301, 307, 400, 403, 404, 405],
    })
    return response.status === 200 ? response.bytes : undefined
  }

  async #listPage(
    prefix: string,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ files: ArchivedFile[]; next: string | undefined }> {
    const query = {
      'list-type': '2',
      prefix: this.#prefix + prefix,
      ...(token === undefined ? {} : { 'continuation-token': token }),
    }
    const { body } = await this.#requests.send({ method: 'GET', query, answerBytes: LIST_BYTES, signal })
    const root = parseXml(body.toString())
    if (root?.name !== 'ListBucketResult') throw this.#noList()
    const files: ArchivedFile[] = []
    for (const element of childrenOf(root, 'Contents')) {
      const file = this.#fileOf(element)
      if (file.name.startsWith(prefix) && file.name !== '') files.push(file)
    }
    const next = textOf(root, 'NextContinuationToken')
    if (textOf(root, 'IsTruncated') !== 'true') return { files, next: undefined }
    // A list that ends too early would look like an archive that lacks files.
    if (next === undefined || next === '') throw this.#noList()
    return { files, next }
  }

  #fileOf(element: XmlElement): ArchivedFile {
    const key = textOf(element, 'Key')
    const bytes = Number(textOf(element, 'Size') ?? Number.NaN)
    const writtenAt = Date.parse(textOf(element, 'LastModified') ?? '')
    if (!key?.startsWith(this.#prefix) || !Number.isSafeInteger(bytes) || Number.isNaN(writtenAt))
      throw this.#noList()
    return { name: key.slice(this.#prefix.length), bytes, writtenAt }
  }

  #noList() {
    return strangeAnswer(this.shownUrl, 'is no list of files as S3 gives it')
  }
}
