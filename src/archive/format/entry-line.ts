import type { CanonicalJson, JsonObject } from '../../records/canonical-json.ts'
import type { Entry, EntryWrite } from '../../records/record.ts'
import { storedObject } from '../../records/stored-json.ts'
import { endOfJson } from './looks-like-json.ts'
import { isCount, isText } from './members.ts'
import { DATA, dataMember } from './record-line.ts'

const WRITES = ',"writes":['

/** An entry of the journal as a line. */
export function entryLine(entry: Entry): string {
  const { revision, at, commitId, actor, fingerprint, digest, writes } = entry
  const head = JSON.stringify({ revision, at, commitId, actor, fingerprint, digest }).slice(0, -1)
  return `${head}${WRITES}${writes.map(writeText).join(',')}]}`
}

function writeText(write: EntryWrite): string {
  const key = `{"op":"${write.op}","kind":${JSON.stringify(write.kind)},"id":${JSON.stringify(write.id)}`
  return write.op === 'put' ? `${key}${dataMember(write.data)}}` : `${key}}`
}

/** The entry of a line; `undefined` if it has none. */
export function readEntryLine(line: string): Entry | undefined {
  const at = line.indexOf(WRITES)
  const head = storedObject(`${line.slice(0, at)}}`)
  const writes = readWrites(line, at + WRITES.length)
  if (at < 0 || head === undefined || writes === undefined) return undefined
  const { revision, commitId, at: time, actor, fingerprint, digest } = head
  if (!isCount(revision) || revision === 0 || !isText(commitId) || !isCount(time)) return undefined
  if (!isText(actor) || !isText(digest)) return undefined
  if (fingerprint === undefined) return { revision, commitId, at: time, actor, writes, digest }
  return isText(fingerprint)
    ? { revision, commitId, at: time, actor, writes, fingerprint, digest }
    : undefined
}

/** The writes from a place in a line on, up to its end. */
function readWrites(line: string, from: number): EntryWrite[] | undefined {
  const writes: EntryWrite[] = []
  for (let at = from; ; at += 1) {
    const end = endOfJson(line, at)
    const write = end < 0 ? undefined : readWrite(line.slice(at, end))
    if (write === undefined) return undefined
    writes.push(write)
    at = end
    if (line[at] === ',') continue
    return line.slice(at) === ']}' ? writes : undefined
  }
}

function readWrite(text: string): EntryWrite | undefined {
  const at = text.indexOf(DATA)
  const head = storedObject(at < 0 ? text : `${text.slice(0, at)}}`)
  if (head === undefined) return undefined
  return writeOf(head, at < 0 ? undefined : text.slice(at + DATA.length, -1))
}

function writeOf(head: JsonObject, embedded: string | undefined): EntryWrite | undefined {
  const { op, kind, id } = head
  if (!isText(kind) || !isText(id)) return undefined
  if (op === 'delete') return { op, kind, id }
  const data = embedded ?? head['text']
  return op === 'put' && isText(data) ? { op, kind, id, data: data as CanonicalJson } : undefined
}
