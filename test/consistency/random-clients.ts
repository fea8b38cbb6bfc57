import { setTimeout as sleep } from 'node:timers/promises'
import { EVERYBODY } from '../../src/access/principal.ts'
import { identifyCommit } from '../../src/live/writing/idempotency.ts'
import { type Answer, type Call, NoAnswer, type Sender } from '../faults/coordinator-client.ts'
import type { RandomSource } from './random-source.ts'
import type { Condition, Outcome, RecordedCall, Wish } from './recorded-call.ts'
import { nodeSubject, type Subject, serviceSubject } from './subject.ts'
import type { Told } from './told.ts'

/** Calls on a record before clients turn to another one, so that judging it stays a short search. */
const CALLS_PER_RECORD = 120
const UNKNOWN_PER_RECORD = 5
/** How often a request with a key is sent until its outcome is known. */
const TRIES = 12

export interface ClientsOptions {
  readonly coordinators: readonly Sender[]
  /** How many of them take writes: the first ones. */
  readonly writable: number
  readonly clients: number
  /** Calls of all clients together. */
  readonly calls: number
  readonly random: RandomSource
  /** Records that are fought for at the same time. */
  readonly records: number
}

interface Arena {
  readonly subject: Subject
  /** Revisions that were told to somebody, the newest ones: ETags that clients may have. */
  readonly revisions: number[]
  calls: number
  unknown: number
}

/**
 * Clients that read and write the same few records through several coordinators, and note what they are told. A request with a
 * key is sent until its outcome is known, on any coordinator; one without is sent once.
 */
export class RandomClients {
  readonly calls: RecordedCall[] = []
  readonly told: Told[] = []
  /** What is wrong at first sight. */
  readonly faults: string[] = []
  readonly #options: ClientsOptions
  readonly #random: RandomSource
  readonly #arenas: Arena[]
  /** What an ETag was sent with: it must not come with anything else. */
  readonly #tagged = new Map<string, string>()
  #count = 0
  #clock = 0
  #arenaCount = 0
  #valueCount = 0

  constructor(options: ClientsOptions) {
    this.#options = options
    this.#random = options.random
    this.#arenas = Array.from({ length: options.records }, () => this.#newArena())
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.clients }, (_, client) => this.#act(client)))
  }

  get subjects(): ReadonlySet<string> {
    return new Set(this.calls.map(({ key }) => key))
  }

  async #act(client: number): Promise<void> {
    /** The newest revision that each coordinator has shown to this client. */
    const seen = this.#options.coordinators.map(() => 0)
    while (this.#count < this.#options.calls) {
      this.#count += 1
      const at = this.#random.below(this.#arenas.length)
      const arena = this.#arenas[at] as Arena
      if (arena.calls >= CALLS_PER_RECORD || arena.unknown >= UNKNOWN_PER_RECORD) {
        this.#arenas[at] = this.#newArena()
        continue
      }
      arena.calls += 1
      const act = this.#random.weighted([
        [62, () => this.#write(client, arena)],
        [14, () => this.#readLatest(client, arena)],
        [24, () => this.#look(client, arena, seen)],
      ])
      await act()
      if (this.#random.chance(0.3)) await sleep(this.#random.below(8))
    }
  }

  #newArena(): Arena {
    this.#arenaCount += 1
    const name = `r${this.#arenaCount}`
    const subject = this.#arenaCount % 3 === 0 ? nodeSubject(name) : serviceSubject(name)
    return { subject, revisions: [], calls: 0, unknown: 0 }
  }

  async #write(client: number, arena: Arena): Promise<void> {
    const { subject } = arena
    const wish = this.#wish(subject)
    const condition = this.#condition(arena)
    const idempotencyKey = this.#random.chance(0.5) ? `k${this.#nextValue()}` : undefined
    const call = { ...subject.send(wish), headers: this.#headers(condition, idempotencyKey) }
    const start = this.#tick()
    const { answer, mayBeStored, coordinator } = await this.#sendUntilKnown(
      call,
      idempotencyKey !== undefined,
    )
    const outcome = answer === undefined ? ({ is: 'unknown' } as const) : outcomeOf(answer, subject)
    const note = `client ${client} at ${coordinator}, ${call.method} ${call.path} ${answer?.status}`
    const commitId = idempotencyKey === undefined ? {} : { commitId: commitIdOf(idempotencyKey) }
    if (outcome === 'not written' || outcome.is === 'unknown') {
      // What was said not to be written did not happen; unless an earlier try may have been.
      if (!mayBeStored) return void this.told.push({ is: 'denied', wish, note, ...commitId })
      arena.unknown += 1
      this.calls.push({
        key: subject.key,
        wish,
        condition,
        outcome: { is: 'unknown' },
        start,
        end: Number.POSITIVE_INFINITY,
        note,
      })
      return
    }
    this.calls.push({ key: subject.key, wish, condition, outcome, start, end: this.#tick(), note })
    if (outcome.is === 'done' && outcome.changed) {
      this.#learn(arena, outcome.revision)
      this.told.push({ is: 'written', key: subject.key, wish, revision: outcome.revision, note, ...commitId })
      if (idempotencyKey !== undefined && this.#random.chance(0.3))
        await this.#repeat(call, answer as Answer, note)
    } else if (outcome.is !== 'done') this.told.push({ is: 'denied', wish, note, ...commitId })
  }

  /** A request that is repeated is answered as it was, but for warnings. */
  async #repeat(call: Call, first: Answer, note: string): Promise<void> {
    if (this.#random.chance(0.5)) await sleep(this.#random.below(30))
    const again = await this.#send(call)
    if (again.answer === undefined || again.answer.status >= 500) return
    const [before, after] = [first, again.answer].map(({ status, etag, body }) => {
      const { serviceId, status: state, created, changed, revision, id } = body
      return JSON.stringify({ status, etag, serviceId, state, created, changed, revision, id })
    })
    if (before !== after) this.faults.push(`${note}: was answered ${before}, and again ${after}`)
  }

  async #readLatest(client: number, { subject }: Arena): Promise<void> {
    const start = this.#tick()
    const { answer, coordinator } = await this.#send({ path: `${subject.path}?consistency=latest` })
    const end = this.#tick()
    const outcome = answer === undefined ? undefined : shownOf(answer, subject)
    if (answer === undefined || outcome === undefined) return
    const note = `client ${client} at ${coordinator}, latest ${answer.status}`
    this.calls.push({
      key: subject.key,
      wish: { does: 'read' },
      condition: { is: 'none' },
      outcome,
      start,
      end,
      note,
    })
  }

  /** Reads that may be of an earlier moment, and say which. */
  async #look(client: number, arena: Arena, seen: number[]): Promise<void> {
    const { subject } = arena
    const isNow = this.#random.chance(0.5)
    const past = arena.revisions.at(-1)
    const path = this.#random.weighted([
      [4, subject.path],
      [3, `${subject.path}/history`],
      [past === undefined ? 0 : 1, `${subject.path}?asOf=${past}`],
      [subject.listPath === undefined ? 0 : 2, subject.listPath ?? ''],
      [isNow && past !== undefined ? 2 : 0, `${subject.path}?minRevision=${past}`],
    ])
    const { answer, coordinator } = await this.#send({ path })
    if (answer === undefined || answer.status >= 500 || answer.shownRevision === undefined) return
    const at = answer.shownRevision
    const note = `client ${client} at ${coordinator}, GET ${path} ${answer.status}`
    if (!path.includes('asOf=')) {
      const newest = seen[coordinator] as number
      if (at < newest) this.faults.push(`${note}: shows revision ${at} after ${newest}`)
      seen[coordinator] = Math.max(at, newest)
    }
    if (path.endsWith('/history')) return this.#lookAtHistory(answer, { key: subject.key, at, note })
    this.#checkTag(answer, note)
    if (path === subject.listPath) {
      const [service] = answer.body.services
      const fields = service === undefined ? undefined : subject.fieldsOf(service)
      this.told.push({ is: 'shown', key: subject.key, at, fields, revision: service?.revision, note })
      return
    }
    const outcome = shownOf(answer, subject)
    if (outcome?.is === 'not found')
      this.told.push({ is: 'shown', key: subject.key, at, fields: undefined, note })
    if (outcome?.is !== 'shown') return
    const { fields, revision } = outcome
    if (!path.includes('asOf=')) this.#learn(arena, revision)
    const known = path.includes('asOf=') && subject.key.startsWith('node') ? {} : { revision }
    this.told.push({ is: 'shown', key: subject.key, at, fields, note, ...known })
  }

  #lookAtHistory(
    { status, body }: Answer,
    { key, at, note }: { key: string; at: number; note: string },
  ): void {
    // Without any entry up to there.
    if (status === 404)
      return void this.told.push({ is: 'history', key, at, revisions: [], complete: true, note })
    if (body.revision !== at)
      this.faults.push(`${note}: says ${body.revision} in the body and ${at} in the header`)
    const revisions = body.entries.map(({ revision }: { revision: number }) => revision)
    this.told.push({ is: 'history', key, at, revisions, complete: body.complete, note })
  }

  #checkTag({ etag, status, body }: Answer, note: string): void {
    if (etag === undefined || status !== 200 || body.node !== undefined) return
    const { revision: _revision, ...list } = body
    const shown = JSON.stringify(body.service ?? list)
    const name = `${note.replace(/^.*GET /, '').replace(/\?(asOf|minRevision)=.*$/, '')} ${etag}`
    const known = this.#tagged.get(name)
    if (known !== undefined && known !== shown)
      this.faults.push(`${note}: ${etag} names ${known} and ${shown}`)
    this.#tagged.set(name, shown)
  }

  #wish(subject: Subject): Exclude<Wish, { does: 'read' }> {
    const what = this.#random.weighted([
      [6, 'replace'],
      [3, 'merge'],
      [3, 'delete'],
    ] as const)
    if (what === 'delete') return { does: 'delete' }
    if (what === 'merge')
      return { does: 'merge', fields: { [this.#random.of(subject.merges)]: this.#nextValue() } }
    const [always, ...sometimes] = subject.replaces
    const names = [always as string, ...sometimes.filter(() => this.#random.chance(0.25))]
    const fields = Object.fromEntries(names.map((name) => [name, this.#nextValue()]))
    return { does: 'replace', fields, keeps: subject.keeps }
  }

  #condition({ revisions }: Arena): Condition {
    const is = this.#random.weighted([
      [10, 'none'],
      [5, 'absent'],
      [2, 'exists'],
      [revisions.length === 0 ? 0 : 5, 'revision'],
    ] as const)
    return is === 'revision' ? { is, revision: this.#random.of(revisions.slice(-3)) } : { is }
  }

  #headers(condition: Condition, key: string | undefined): Record<string, string> {
    return {
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(condition.is === 'absent' ? { 'if-none-match': '*' } : {}),
      ...(condition.is === 'exists' ? { 'if-match': '*' } : {}),
      ...(condition.is === 'revision' ? { 'if-match': `"${this.#lineage8}-${condition.revision}"` } : {}),
    }
  }

  #lineage8 = ''

  #learn({ revisions }: Arena, revision: number): void {
    if (!revisions.includes(revision)) revisions.push(revision)
    if (revisions.length > 8) revisions.shift()
  }

  /** Sends a call until its outcome is known, where it may be sent again. */
  async #sendUntilKnown(call: Call, mayRepeat: boolean) {
    let mayBeStored = false
    for (let tries = 1; ; tries += 1) {
      const { answer, coordinator } = await this.#send(call)
      const isKnown = answer !== undefined && answer.status < 500 && answer.status !== 409
      if (isKnown) return { answer, mayBeStored, coordinator }
      if (answer === undefined || (answer.status >= 500 && answer.body?.outcome !== 'not_written'))
        mayBeStored = true
      if (!mayRepeat || tries === TRIES) return { answer: undefined, mayBeStored, coordinator }
      await sleep(20 + this.#random.below(60))
    }
  }

  async #send(call: Call): Promise<{ readonly answer: Answer | undefined; readonly coordinator: number }> {
    const { coordinators, writable } = this.#options
    const coordinator = this.#random.below(call.method === undefined ? coordinators.length : writable)
    try {
      const answer = await (coordinators[coordinator] as Sender).send(call)
      const mark = /^"([0-9a-f]{8})-/.exec(answer.etag ?? '')?.[1]
      if (mark !== undefined) this.#lineage8 = mark
      return { answer, coordinator }
    } catch (thrown) {
      if (thrown instanceof NoAnswer) return { answer: undefined, coordinator }
      throw thrown
    }
  }

  #tick(): number {
    this.#clock += 1
    return this.#clock
  }

  #nextValue(): string {
    this.#valueCount += 1
    return `v${this.#valueCount}`
  }
}

function outcomeOf({ status, body, text }: Answer, subject: Subject): Outcome | 'not written' {
  if (status === 200 || status === 201) {
    const { revision, changed = true, created } = body
    const holds = subject.holds(body)
    return {
      is: 'done',
      revision,
      changed,
      ...(created === undefined ? {} : { created }),
      ...(holds === undefined ? {} : { holds }),
    }
  }
  if (status === 404) return { is: 'not found' }
  if (status === 412 && body.code === 'COORD_PRECONDITION_FAILED')
    return { is: 'refused', ...(body.actual === undefined ? {} : { actual: body.actual }) }
  throw new Error(`A write was answered with ${status}: ${text}`)
}

function shownOf({ status, body, etag, text }: Answer, subject: Subject): Outcome | undefined {
  if (status === 404) return { is: 'not found' }
  if (status >= 500 || status === 410) return undefined
  if (status !== 200) throw new Error(`A read was answered with ${status}: ${text}`)
  const revision = Number(/-(\d+)(?:-[a-z]+)?"$/.exec(etag ?? '')?.[1])
  return { is: 'shown', revision, fields: subject.fieldsOf(body) }
}

function commitIdOf(key: string): string {
  return identifyCommit({ idempotencyKey: key, principal: EVERYBODY }, { route: '' }).commitId
}
