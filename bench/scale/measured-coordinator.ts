/** A coordinator in a process of its own, which tells how much memory it takes. Start it with `--expose-gc`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createCoordinator } from '../../src/coordinator.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { processMemory } from '../../src/live/memory/memory-budget.ts'
import { fillStore } from './fill-store.ts'
import { realRegistration, type Shape } from './real-registrations.ts'

export interface Order {
  /** Settings of the coordinator. */
  readonly env: Readonly<Record<string, string>>
  /** Fills a store in memory before the start, instead of opening the one of the settings. */
  readonly fill?: { readonly size: number; readonly rounds: number; readonly shape: Shape }
}

/** In bytes, after a collection of garbage. */
export interface MemoryFigures {
  /** The old generation of the heap, which `--max-old-space-size` bounds. */
  readonly heap: number
  /** What the coordinator itself believes, before the collection: `coordinator_memory_used_bytes`. */
  readonly estimated: number
  readonly resident: number
  /** From the call until it was ready, in milliseconds. */
  readonly startMs: number
  readonly port: number
  /** Whether there is an archive with a base and everything else. */
  readonly isArchived: boolean
  /** The characters of all texts that filled the store; 0 if nothing did. */
  readonly textBytes: number
}

const collect = globalThis.gc
if (collect === undefined) throw new Error('Start this program with `--expose-gc`.')

const order = JSON.parse(process.argv[2] ?? '{}') as Order
const store = order.fill === undefined ? undefined : new MemoryStore()
let textBytes = 0
if (order.fill !== undefined && store !== undefined) {
  const { size, rounds, shape } = order.fill
  const bodyOf = (number: number, round: number) => realRegistration(number, shape, round)
  textBytes = (await fillStore(store, { size, rounds, bodyOf })).textBytes
}
const startedAt = performance.now()
const coordinator = await createCoordinator({
  env: order.env,
  port: 0,
  ...(store === undefined ? {} : { store }),
})
await coordinator.start()
const startMs = performance.now() - startedAt
process.on('message', (message) => {
  void (message === 'measure' ? tell() : end())
})
await tell()

async function tell(): Promise<void> {
  const estimated = processMemory().usedBytes
  for (let time = 0; time < 3; time += 1) {
    collect?.()
    await sleep(100)
  }
  const backup = coordinator.archiver?.figures
  const figures: MemoryFigures = {
    ...{ estimated, startMs },
    heap: processMemory().usedBytes,
    resident: process.memoryUsage.rss(),
    port: Number(new URL(coordinator.url).port),
    isArchived: backup !== undefined && backup.unarchivedRevisions === 0 && backup.baseAt > 0,
    textBytes,
  }
  process.send?.(figures)
}

async function end(): Promise<void> {
  await coordinator.stop()
  process.disconnect()
}
