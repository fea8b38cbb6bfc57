import { sizeOfEntry } from '../../live/following/entry-ring.ts'
import type { Live } from '../../live/live.ts'
import type { JsonObject } from '../../records/canonical-json.ts'
import { namespacesOfRecord } from '../../records/graph/record-namespaces.ts'
import type { Entry, EntryWrite, Position, Revision } from '../../records/record.ts'
import { type BodyPart, bytesOf, SharedBytes } from '../sending/body-part.ts'

/** The entries that a reader wants: those with at least one write that matches all of these. */
export interface ChangeFilter {
  readonly kinds?: readonly string[] | undefined
  /** serviceName of services, id of nodes, id of either end of edges. Deletions have no name, and always match. */
  readonly names?: readonly string[] | undefined
  /** Namespace of services, of nodes, of either end of edges. Deletions always match. */
  readonly namespaces?: readonly string[] | undefined
}

/** What the content of a write tells filters. A deletion has no content. */
interface WriteSubject {
  readonly names: readonly string[]
  readonly namespaces: readonly string[]
}

/** From this length on, in UTF-16 code units, copying a text costs more than sending it separately. */
const LARGE_TEXT = 16_384

/** Knows whose authors nobody has proved. */
export type ProofJudge = Pick<Live, 'isUnproven'>

/** An entry as readers get it. Its text is made when the first reader needs it, and then shared. */
export class ShownEntry {
  readonly revision: Revision
  readonly digest: string
  readonly #entry: Entry
  readonly #lineage: string
  readonly #proof: ProofJudge
  /** What the kept text says about the author. */
  #unproven = false
  #text: string | undefined
  #shared: WeakRef<SharedBytes> | undefined
  #subjects: readonly (WriteSubject | undefined)[] | undefined

  constructor(entry: Entry, { lineage, proof }: { readonly lineage: string; readonly proof: ProofJudge }) {
    this.revision = entry.revision
    this.digest = entry.digest
    this.#entry = entry
    this.#lineage = lineage
    this.#proof = proof
  }

  /** The approximate size of the entry without its text, in UTF-16 code units. */
  get size(): number {
    return sizeOfEntry(this.#entry)
  }

  get position(): Position {
    return { lineage: this.#lineage, revision: this.revision, digest: this.digest }
  }

  /** The complete JSON text, without line breaks. Answers that send a large entry at the same time share its text. */
  get part(): BodyPart {
    const unproven = this.#proof.isUnproven(this.revision)
    if (unproven !== this.#unproven) this.#forget(unproven)
    const known = this.#text ?? this.#shared?.deref()
    if (known !== undefined) return known
    const text = jsonOf(this.#entry, { position: positionText(this.position), unproven })
    if (text.length < LARGE_TEXT) {
      this.#text = text
      return text
    }
    // The text is kept only while it is being sent, because the ring keeps the entry itself.
    const shared = new SharedBytes(bytesOf(text))
    this.#shared = new WeakRef(shared)
    return shared
  }

  /** A text from before credentials were demanded must not go on saying that its author is known. */
  #forget(unproven: boolean): void {
    this.#unproven = unproven
    this.#text = undefined
    this.#shared = undefined
  }

  isWanted({ kinds, names, namespaces }: ChangeFilter): boolean {
    const readsContent = names !== undefined || namespaces !== undefined
    if (kinds === undefined && !readsContent) return true
    return this.#entry.writes.some(({ kind }, at) => {
      if (kinds !== undefined && !kinds.includes(kind)) return false
      const subject = readsContent ? this.#subjectOf(at) : undefined
      if (subject === undefined) return true
      return isAmong(subject.names, names) && isAmong(subject.namespaces, namespaces)
    })
  }

  #subjectOf(at: number): WriteSubject | undefined {
    this.#subjects ??= this.#entry.writes.map(subjectOf)
    return this.#subjects[at]
  }
}

function jsonOf(
  { revision, at, actor, commitId, writes }: Entry,
  { position, unproven }: { readonly position: string; readonly unproven: boolean },
): string {
  const written = writes.map((write) => {
    const key = `"kind":${JSON.stringify(write.kind)},"id":${JSON.stringify(write.id)}`
    return write.op === 'put' ? `{"op":"put",${key},"data":${write.data}}` : `{"op":"delete",${key}}`
  })
  return `{"revision":${revision},"at":"${new Date(at).toISOString()}","actor":${JSON.stringify(actor)}${unproven ? ',"unproven":true' : ''},"commitId":"${commitId}","position":"${position}","writes":[${written.join(',')}]}`
}

/** The names of a record and of what it refers to, and the namespaces of both. */
function subjectOf(write: EntryWrite): WriteSubject | undefined {
  if (write.op === 'delete') return undefined
  const data = JSON.parse(write.data) as JsonObject
  const { serviceName, id, source, target } = data
  return {
    names: [serviceName, id, source, target].filter((text) => typeof text === 'string'),
    namespaces: namespacesOfRecord({ kind: write.kind, id: write.id, data }),
  }
}

function isAmong(own: readonly string[], wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || own.some((text) => wanted.includes(text))
}

/** The text of a position, as `id:` of events and `next` of pages. */
export function positionText({ lineage, revision, digest }: Position): string {
  return `${lineage}:${revision}:${digest}`
}

const positionForm = /^([0-9a-f-]{36}):(\d{1,16}):([0-9a-f-]{36,64})$/

export function parsePosition(text: string): Position | undefined {
  const [, lineage, digits, digest] = positionForm.exec(text) ?? []
  const revision = Number(digits)
  if (lineage === undefined || digest === undefined || !Number.isSafeInteger(revision)) return undefined
  return { lineage, revision, digest }
}
