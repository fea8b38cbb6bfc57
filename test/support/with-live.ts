import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { Store } from '../../src/database/store.ts'
import { Live } from '../../src/live/live.ts'
import type { LiveOptions } from '../../src/live/state/live-options.ts'
import type { Domain } from '../../src/live/view/projection.ts'
import type { View } from '../../src/live/view/view.ts'
import type { Entry } from '../../src/records/record.ts'
import { FaultyStore } from './faulty-store.ts'

/** Times short enough for a test: a poll takes 5 ms, a commit gives up after 400 ms. */
export const quick: LiveOptions = {
  commitTimeoutMs: 400,
  queueMax: 1_000,
  batchMaxCommits: 512,
  batchMaxSize: 1_048_576,
  pollMinMs: 5,
  pollMaxMs: 15,
  confirmationMarginMs: 1_400,
  stallTimeoutMs: 150,
  revisionTimeoutMs: 200,
  keepHours: 720,
  keepRevisions: 100_000,
  examineAfterMs: 1_000,
  examineIntervalMs: 3_600_000,
  retentionIntervalMs: 3_600_000,
  snapshotSearchMs: 10,
  snapshotServeMs: 50,
}

export const plainDomain: Domain = { kinds: {}, projections: [] }

/** Ids of the services that a view serves. */
export function servedIds({ records }: View): string[] {
  return Array.from(records.of('service'), ({ id }) => id)
}

export interface LiveSetup {
  readonly options?: Partial<LiveOptions>
  readonly domain?: Domain
  /** Where the data is. @default a new store in memory */
  readonly inner?: Store
  /** What the store says of itself. @default true */
  readonly durable?: boolean
  /** Whether the body finds it started. @default true */
  readonly started?: boolean
}

/** A live layer under test, the store it uses, and what its observers heard. */
export interface LiveScope {
  readonly live: Live
  readonly store: FaultyStore
  readonly states: string[]
  readonly heard: Entry[]
  readonly reasons: string[]
  readonly contradictions: string[]
  /** Starts another coordinator on the same data; it is stopped at the end. */
  another(setup?: LiveSetup): Promise<LiveScope>
}

/** Runs a test with a live layer, and stops it afterwards, whatever happened. */
export async function withLive(
  body: (scope: LiveScope) => Promise<void>,
  setup: LiveSetup = {},
): Promise<void> {
  const scopes: LiveScope[] = []
  const open = async (wanted: LiveSetup): Promise<LiveScope> => {
    const scope = makeScope(wanted, open)
    scopes.push(scope)
    if (wanted.started !== false) await scope.live.start()
    return scope
  }
  try {
    await body(await open(setup))
  } finally {
    for (const { live, store } of scopes) {
      store.heal()
      store.release()
      await live.stop(100)
    }
  }
}

function makeScope(setup: LiveSetup, open: (setup: LiveSetup) => Promise<LiveScope>): LiveScope {
  const { options = {}, domain = plainDomain, inner = new MemoryStore(), durable = true } = setup
  const store = new FaultyStore(inner, { durable })
  const live = new Live(store, domain, { ...quick, ...options })
  const scope: LiveScope = {
    live,
    store,
    states: [],
    heard: [],
    reasons: [],
    contradictions: [],
    another: (other = {}) => open({ ...setup, inner, ...other }),
  }
  live.observe({
    status: ({ state }) => scope.states.push(state),
    entry: (entry) => scope.heard.push(entry),
    replaced: (_, reason) => scope.reasons.push(reason),
    contradicted: ({ status }) => scope.contradictions.push(status),
  })
  return scope
}

/** Waits until a coordinator has asked for changes a few times more. Each of these questions has found nothing to do, or did it. */
export async function asksOn({ store }: LiveScope, times = 3): Promise<void> {
  const before = store.callsOf('changes').length
  await until(() => store.callsOf('changes').length > before + times)
}

/** Waits until something is so, or fails after `timeoutMs`. */
export async function until(what: () => boolean, timeoutMs = 30_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !what(); await sleep(2))
    if (performance.now() > end) throw new Error(`Not so within ${timeoutMs} ms: ${what}`)
}
