import { setTimeout as sleep } from 'node:timers/promises'
import { CoordinatorClient } from '../faults/coordinator-client.ts'
import { findOrder } from './find-order.ts'
import { type JournalEntry, judgeTold } from './judge-told.ts'
import { RandomClients } from './random-clients.ts'
import { RandomSource } from './random-source.ts'
import { nodeSubject, serviceSubject } from './subject.ts'

export interface ConsistencyRun {
  /** URLs of coordinators on one database. */
  readonly urls: readonly string[]
  /** How many of them take writes: the first ones. @default all */
  readonly writable?: number
  readonly calls: number
  /** @default 12 */
  readonly clients?: number
  /** Records that are fought for at the same time. @default 6 */
  readonly records?: number
  /** @default one that differs from run to run, and is part of what is reported */
  readonly seed?: number
  /** Damages something for a while, and mends it before it resolves. Done again and again while clients are at work. */
  readonly disturb?: (random: RandomSource) => Promise<void>
  /** The longest rest between two disturbances, in milliseconds. @default 60 */
  readonly restMaxMs?: number
}

export interface Verdict {
  /** What is wrong with what clients were told; empty where nothing is. */
  readonly faults: readonly string[]
  /** Calls that were judged: of how many the outcome is known. */
  readonly known: number
  readonly unknown: number
  readonly records: number
  readonly revisions: number
  readonly disturbances: number
  readonly seed: number
}

/**
 * Lets clients read and write through all coordinators while something disturbs these, and judges afterwards whether what they
 * were told can be: each record by a search for an order that explains every outcome, each answer that names a revision by the
 * journal.
 */
export async function runConsistency({
  urls,
  writable = urls.length,
  calls,
  clients = 12,
  records = 6,
  seed = Math.floor(Math.random() * 2 ** 31),
  disturb,
  restMaxMs = 60,
}: ConsistencyRun): Promise<Verdict> {
  const random = new RandomSource(seed)
  await using senders = new AsyncDisposableStack()
  const coordinators = urls.map((url) => senders.use(new CoordinatorClient(url, clients)))
  const load = new RandomClients({ coordinators, writable, clients, records, calls, random })
  const ended = new AbortController()
  const disturbing = disturbAgainAndAgain(disturb, { random, restMaxMs, ended: ended.signal })
  try {
    await load.run()
  } finally {
    ended.abort()
  }
  const disturbances = await disturbing
  const first = coordinators[0] as CoordinatorClient
  // Without an answer there is no journal to judge by: that alone is the verdict.
  const recovered = await recovers(first)
  const journal = recovered ? await readJournal(first) : []
  const byKey = [...Map.groupBy(load.calls, ({ key }) => key).values()]
  const orders = byKey.map((ofRecord) => findOrder(ofRecord)).filter((fault) => fault !== undefined)
  const unknown = load.calls.filter(({ outcome }) => outcome.is === 'unknown').length
  return {
    faults: (recovered
      ? [...load.faults, ...judgeTold(load.told, journal), ...orders]
      : [...load.faults, 'the coordinator did not answer again', ...orders]
    ).map((fault) => `seed ${seed}: ${fault}`),
    known:
      load.calls.length + load.told.filter(({ is }) => is === 'shown' || is === 'history').length - unknown,
    unknown,
    records: byKey.length,
    revisions: journal.length,
    disturbances,
    seed,
  }
}

async function disturbAgainAndAgain(
  disturb: ConsistencyRun['disturb'],
  {
    random,
    restMaxMs,
    ended,
  }: { readonly random: RandomSource; readonly restMaxMs: number; readonly ended: AbortSignal },
): Promise<number> {
  let count = 0
  // Choices of its own: how many it makes depends on time, and clients must not.
  const own = new RandomSource(random.below(2 ** 31))
  while (disturb !== undefined && !ended.aborted) {
    await disturb(own)
    count += 1
    await sleep(own.below(restMaxMs))
  }
  return count
}

async function readJournal(client: CoordinatorClient): Promise<readonly JournalEntry[]> {
  const journal: JournalEntry[] = []
  for (let after = '0', more = true; more; ) {
    const { body, text, status } = await client.get(`/changes?after=${after}&limit=1000`)
    if (status !== 200) throw new Error(`The journal was answered with ${status}: ${text}`)
    for (const { revision, commitId, writes } of body.entries)
      journal.push(entryOf({ revision, commitId, writes }))
    more = body.more
    after = encodeURIComponent(body.next)
  }
  return journal
}

/** Whether the coordinator reads from its store again: what was damaged last may need a moment. */
async function recovers(client: CoordinatorClient): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { status } = await client.get('/services?consistency=latest&limit=1')
    if (status === 200) return true
    await sleep(100)
  }
  return false
}

const service = serviceSubject('any')
const node = nodeSubject('any')

interface Written {
  readonly kind: string
  readonly id: string
  readonly op: string
  readonly data?: unknown
}

function entryOf(entry: { revision: number; commitId: string; writes: readonly Written[] }): JournalEntry {
  const { revision, commitId, writes } = entry
  const { kind, id, op, data } = writes[0] as Written
  const { storedFields } = kind === 'service' ? service : node
  return { revision, commitId, key: `${kind} ${id}`, fields: op === 'put' ? storedFields(data) : undefined }
}
