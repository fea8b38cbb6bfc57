import { costs, deliverySeconds, planned, startSeconds } from './figures.ts'

export type Backend = 'memory' | 'sqlite' | 'postgres' | 'supabase'

export interface Question {
  readonly backend: Backend
  readonly services: number
  /** Mean length of a registration as JSON, in bytes. */
  readonly bytes: number
  /** Mean number of dependencies of a service. */
  readonly dependencies: number
  /** Registrations with something new, removals and assertions, in a second. Heartbeats and repetitions are reads. */
  readonly writes: number
  /** Requests that read, in a second. */
  readonly reads: number
  /** Open streams of `GET /changes`. */
  readonly readers: number
  /** How long the history is kept, in days. */
  readonly keepDays: number
}

/** One figure, and how it was computed. */
export interface Line {
  readonly name: string
  readonly value: number
  readonly unit: 'bytes' | 'seconds' | 'a second' | ''
  readonly formula: string
}

export interface Estimate {
  readonly lines: readonly Line[]
  /** Whether one coordinator with one database carries it, as `planned` plans. */
  readonly oneCarriesIt: boolean
  /** What it needs otherwise, and what the figures mean. */
  readonly advice: readonly string[]
}

const mebibyte = 1_048_576
const daySeconds = 86_400
/** The part of the heap that the records may take: at 85 % writes are refused. */
const usedPart = 0.75
/** The smallest heap to set. Smaller ones need more options: docs/operations.md, "Memory". */
const leastHeapMiB = 128
const heapStepMiB = 64

/** What one coordinator needs for it, whether it carries it, and how many it takes otherwise. */
export function estimate(question: Question): Estimate {
  const { backend, services, writes, reads, readers } = question
  const databases = Math.max(
    1,
    Math.ceil(services / planned.services),
    Math.ceil(writes / planned.writes(backend)),
  )
  const share = {
    ...question,
    ...{ services: services / databases, writes: writes / databases, reads: reads / databases },
    readers: readers / databases,
  }
  const forReads = Math.ceil(share.reads / planned.reads)
  const tree = followersOf(share.readers, share.writes)
  // The coordinator itself is the root of the tree.
  const [direct = 1] = tree
  const coordinators = databases * Math.max(1, forReads, direct)
  const lines = [
    ...sizeLines(share, Math.min(share.readers, planned.readers)),
    line('events to readers', writes * readers, 'a second', 'writes x readers'),
    line(
      'databases',
      databases,
      '',
      `the larger of services / ${count(planned.services)} and writes / ${count(planned.writes(backend))}`,
    ),
    line(
      'coordinators',
      coordinators,
      '',
      `databases x the largest of reads / ${count(planned.reads)}, readers / ${count(planned.readers)}, events / ${count(planned.events)} (all of one database)`,
    ),
  ]
  return {
    lines,
    oneCarriesIt: coordinators === 1,
    advice: adviceFor(question, { databases, coordinators, forReads, tree }),
  }
}

/** How many programs serve this number of readers that all get every change. */
function serversOf(readers: number, writes: number): number {
  return Math.max(1, Math.ceil(readers / planned.readers), Math.ceil((writes * readers) / planned.events))
}

/** Programs in each level of a tree, from those that the readers are connected to, up to a single one. */
function followersOf(readers: number, writes: number): number[] {
  const levels = [serversOf(readers, writes)]
  for (let last = levels[0] ?? 1; last > 1; ) {
    last = serversOf(last, writes)
    levels.push(last)
  }
  return levels
}

/** The heap in use, in bytes. */
export function heapOf(question: Question, readers = question.readers): number {
  const { services, bytes, dependencies, backend } = question
  const { heap } = costs
  const perService = heap.service + heap.textByte * bytes + heap.dependency * dependencies
  const revisions = revisionsOf(question)
  // The newest revision of a service shares its text.
  const history = revisions * heap.revision + (revisions - services) * bytes
  return heap.program + services * perService + readers * heap.stream + (backend === 'memory' ? history : 0)
}

/** The records and all revisions that are kept, in bytes. */
export function databaseOf(question: Question): number {
  const { backend, services, bytes } = question
  const revisions = revisionsOf(question)
  switch (backend) {
    case 'memory':
      return 0
    case 'sqlite': {
      const { service, revision } = costs.database.sqlite
      return services * sqliteRow(bytes + service, 1_002) + revisions * sqliteRow(bytes + revision, 4_061)
    }
    default: {
      const { service, revision, textPart } = costs.database.postgres
      // Beside the newest version of a record there is an old one, until vacuum makes its place free for the next.
      const versions = Math.min(2, revisions / Math.max(1, services))
      return services * versions * (service + textPart * bytes) + revisions * (revision + textPart * bytes)
    }
  }
}

/**
 * What a row takes in pages of 4 KiB (https://www.sqlite.org/fileformat2.html, "B-tree Pages"). A row that is larger than `largestLocal`
 * keeps 489 bytes with its neighbours, and gets whole pages for the rest.
 */
function sqliteRow(size: number, largestLocal: number): number {
  if (size > largestLocal) return 489 + Math.ceil((size - 489) / 4_092) * 4_096
  return 4_096 / Math.floor(4_084 / size)
}

/** Revisions that are kept. Each service was written at least once. */
function revisionsOf({ services, writes, keepDays }: Question): number {
  return services + writes * keepDays * daySeconds
}

/** A base, and the journal of a day, in bytes. */
export function archiveOf({ services, bytes, writes }: Question): { base: number; journal: number } {
  const revisions = writes * daySeconds
  return {
    base: services * bytes * costs.archive.baseByte,
    journal: journalOf({ revisions, bytes, files: Math.min(8_640, revisions) }),
  }
}

/** The journal in the archive, in bytes. */
export function journalOf(part: { revisions: number; bytes: number; files: number }): number {
  return part.revisions * part.bytes * costs.archive.journalByte + part.files * costs.archive.file
}

/** The size of the heap, for `--max-old-space-size`, in MiB. */
export function heapToSet(used: number): number {
  return Math.max(leastHeapMiB, Math.ceil(used / usedPart / mebibyte / heapStepMiB) * heapStepMiB)
}

/** The memory of the machine, in bytes: docs/operations.md explains the factor. */
export function machineOf(heapMiB: number, readers: number): number {
  const { program, stream } = costs.outside
  return 2 * heapMiB * mebibyte + program + readers * stream
}

export function startOf({ backend, services }: Pick<Question, 'backend' | 'services'>): number {
  return startSeconds.program + startSeconds.service[backend] * services
}

function sizeLines(question: Question, readers: number): Line[] {
  const { heap, archive, outside } = costs
  const used = heapOf(question, readers)
  const heapMiB = heapToSet(used)
  const history =
    question.backend === 'memory' ? ` + revisions x ${heap.revision} + older revisions x bytes` : ''
  const { base, journal } = archiveOf(question)
  return [
    line(
      'heap in use',
      used,
      'bytes',
      `${heap.program / 1e6} MB + services x (${heap.service} + bytes + ${heap.dependency} x dependencies) + readers x ${heap.stream}${history}`,
    ),
    line(
      'heap to set',
      heapMiB * mebibyte,
      'bytes',
      `heap in use / ${usedPart}, in steps of ${heapStepMiB} MiB`,
    ),
    line(
      'memory of the machine',
      machineOf(heapMiB, readers),
      'bytes',
      `2 x heap to set + ${outside.program / 1e6} MB + readers x ${outside.stream}`,
    ),
    line('database', databaseOf(question), 'bytes', databaseFormula(question.backend)),
    line('archive: a base', base, 'bytes', `services x bytes x ${archive.baseByte}`),
    line(
      'archive: journal a day',
      journal,
      'bytes',
      `revisions a day x bytes x ${archive.journalByte} + files a day x ${archive.file}`,
    ),
    line(
      'start',
      startOf(question),
      'seconds',
      `${startSeconds.program} s + services x ${Math.round(startSeconds.service[question.backend] * 1e6)} µs`,
    ),
  ]
}

function databaseFormula(backend: Backend): string {
  if (backend === 'memory') return 'everything is in the heap'
  if (backend === 'sqlite') {
    const { service, revision } = costs.database.sqlite
    return `services x (${service} + bytes) + revisions x (${revision} + bytes), in pages`
  }
  const { service, revision, textPart } = costs.database.postgres
  return `services x up to 2 x (${service} + ${textPart} x bytes) + revisions x (${revision} + ${textPart} x bytes)`
}

interface Numbers {
  readonly databases: number
  readonly coordinators: number
  readonly forReads: number
  readonly tree: readonly number[]
}

function adviceFor(question: Question, { databases, coordinators, tree }: Numbers): string[] {
  const { backend } = question
  const advice: string[] = []
  if (coordinators === 1) advice.push('One coordinator carries this.')
  if (databases > 1)
    advice.push(
      `Divide the namespaces among ${count(databases)} databases, each with its own coordinators. The sizes above are those of one of them.`,
    )
  if (coordinators > databases && (backend === 'sqlite' || backend === 'memory'))
    advice.push('Several coordinators need a shared database: choose PostgreSQL or Supabase.')
  if (coordinators > databases)
    advice.push(
      `${count(coordinators)} coordinators serve this directly. Each keeps all records of its database in memory, and needs what is above.`,
    )
  const [direct = 1, ...above] = tree
  if (direct > 1)
    advice.push(
      `Or followers serve the readers: ${count(tree.slice(0, -1).reduce((sum, level) => sum + level) * databases)} programs in ${above.length} ${above.length === 1 ? 'level' : 'levels'} below one coordinator for each database. A change then takes about ${(deliverySeconds * tree.length).toFixed(2)} s to the last reader.`,
    )
  return advice
}

function line(name: string, value: number, unit: Line['unit'], formula: string): Line {
  return { name, value, unit, formula }
}

export function count(number: number): string {
  return number.toLocaleString('en', { maximumFractionDigits: 0 })
}
