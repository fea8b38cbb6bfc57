import type { Revision } from '../../records/record.ts'

interface AnyFileName {
  readonly lineage: string
  /** Whether it is encrypted with age. */
  readonly encrypted: boolean
}

/** `<lineage>/base/<revision>-<digest>-<part>-of-<parts>.ndjson.zst[.age]` */
export interface BaseFileName extends AnyFileName {
  readonly kind: 'base'
  readonly revision: Revision
  /** The digest of the position. */
  readonly digest: string
  /** From 1 on. */
  readonly part: number
  readonly parts: number
}

/** `<lineage>/log/<first>-<last>-<digest>.ndjson.zst[.age]` */
export interface LogFileName extends AnyFileName {
  readonly kind: 'log'
  readonly first: Revision
  readonly last: Revision
  /** The digest of the last revision. */
  readonly digest: string
}

/** `<lineage>/access/<time>-<digest>.ndjson.zst[.age]` */
export interface AccessFileName extends AnyFileName {
  readonly kind: 'access'
  /** Epoch milliseconds. */
  readonly at: number
  /** SHA-256 of the tokens: two files with the same tokens have the same digest. */
  readonly digest: string
}

export type FileName = BaseFileName | LogFileName | AccessFileName

const form =
  /^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\/(?:base\/(\d{16})-([0-9a-f-]{36,64})-(\d{4})-of-(\d{4})|log\/(\d{16})-(\d{16})-([0-9a-f-]{36,64})|access\/(\d{16})-([0-9a-f]{64}))\.ndjson\.zst(\.age)?$/
/** Of a revision; that of the revision before the first commit is the lineage. */
const digestForm = /^(?:[0-9a-f]{64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/

/** The most parts of a base. */
export const PARTS_MAX = 9_999

/** What the name of a file says; `undefined` if no archive has such a file. */
export function parseFileName(name: string): FileName | undefined {
  const match = form.exec(name)
  if (match === null) return undefined
  const [, lineage = '', revision, baseDigest = '', part, parts, first, last, logDigest = '', time, tokens] =
    match
  const parsed = { lineage, encrypted: match[11] !== undefined }
  const file: FileName =
    revision !== undefined
      ? {
          ...{ kind: 'base', ...parsed, revision: Number(revision), digest: baseDigest },
          ...{ part: Number(part), parts: Number(parts) },
        }
      : first !== undefined
        ? { kind: 'log', ...parsed, first: Number(first), last: Number(last), digest: logDigest }
        : { kind: 'access', ...parsed, at: Number(time), digest: tokens ?? '' }
  return isPossible(file) ? file : undefined
}

function isPossible(file: FileName): boolean {
  switch (file.kind) {
    case 'base':
      return (
        Number.isSafeInteger(file.revision) &&
        digestForm.test(file.digest) &&
        file.part >= 1 &&
        file.part <= file.parts
      )
    case 'log':
      return (
        Number.isSafeInteger(file.last) &&
        file.first >= 1 &&
        file.first <= file.last &&
        digestForm.test(file.digest)
      )
    case 'access':
      return Number.isSafeInteger(file.at)
  }
}

/** The path of a file below the prefix of the archive. Names of one folder sort by revision or time. */
export function printFileName(file: FileName): string {
  const end = file.encrypted ? '.ndjson.zst.age' : '.ndjson.zst'
  switch (file.kind) {
    case 'base':
      return `${file.lineage}/base/${digits(file.revision)}-${file.digest}-${digits(file.part, 4)}-of-${digits(file.parts, 4)}${end}`
    case 'log':
      return `${file.lineage}/log/${digits(file.first)}-${digits(file.last)}-${file.digest}${end}`
    case 'access':
      return `${file.lineage}/access/${digits(file.at)}-${file.digest}${end}`
  }
}

function digits(value: number, count = 16): string {
  return String(value).padStart(count, '0')
}
