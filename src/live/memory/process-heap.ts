import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8'
import { measureMemory } from 'node:vm'
import type { Heap } from './memory-budget.ts'

const mebibyte = 1_048_576

/** Memory that V8 reserves for new objects by default: three semi-spaces of 64 MiB (Node.js 24). */
const youngGenerationMaxBytes = 192 * mebibyte
/** On machines with little memory V8 makes a semi-space a 64th of the old generation. */
const youngGenerationMaxPart = 3 / 67

/**
 * The memory that pages and bodies may take while they are processed. A page of the journal of 3 MB exists as text, as parsed entries, and
 * as the texts of its records.
 */
const workBytes = 16 * mebibyte

/**
 * The heap of this process, as V8 reports it. The size of the old generation ends a process: with `--max-old-space-size=256` it died at
 * 254.7 MiB of it, with large texts as well as with small objects (Node.js 24.21), while `heap_size_limit` was 448.
 */
export class ProcessHeap implements Heap {
  readonly limitBytes = oldGenerationLimit(
    getHeapStatistics().heap_size_limit,
    `${process.env['NODE_OPTIONS'] ?? ''} ${process.execArgv.join(' ')}`,
  )
  readonly workBytes = workBytes

  constructor() {
    // V8 ends a process if more than four fifths of its heap are in use and four collections in a row took most of the time. The budget
    // serves the same purpose. Without this flag, a process died at 52 MiB of 64 while it refused further writes.
    setFlagsFromString('--no-detect-ineffective-gcs-near-heap-limit')
  }

  /** The size of the objects in the old generation, including garbage. Reading it costs some microseconds. */
  get usedBytes(): number {
    let used = 0
    for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics())
      if (!name.startsWith('new_')) used += size
    return used
  }

  onCollected(listener: () => void): () => void {
    const observer = new PerformanceObserver((list) => {
      const { NODE_PERFORMANCE_GC_MAJOR: major } = constants
      const isMajor = (entry: PerformanceEntry) =>
        'detail' in entry && (entry.detail as { readonly kind?: number }).kind === major
      if (list.getEntries().some(isMajor)) listener()
    })
    observer.observe({ entryTypes: ['gc'] })
    return () => observer.disconnect()
  }

  /**
   * Measuring with `eager` begins a major collection that runs beside the program. With 200 MB of small objects its longest turn was 22 ms,
   * while `gc()` took 73 ms without a pause. V8 begins no collection while nothing is allocated. A collection that began before this call
   * does not count, because it may keep what was released in the meantime.
   */
  async collect(): Promise<void> {
    const { emitWarning } = process
    // Node.js would print a warning on standard error that the function is experimental. Its result is not used here.
    process.emitWarning = () => undefined
    let measuring: Promise<unknown>
    try {
      measuring = measureMemory({ mode: 'summary', execution: 'eager' })
    } finally {
      process.emitWarning = emitWarning
    }
    await measuring
  }
}

/**
 * The largest size of the old generation, in bytes.
 *
 * @param heapSizeLimit what V8 reports for the whole heap: old and young generation together
 * @param flags the flags of Node.js; later ones win
 */
export function oldGenerationLimit(heapSizeLimit: number, flags: string): number {
  const old = flagValue(flags, 'max-old-space-size')
  if (old > 0) return old * mebibyte
  // With 300 MiB the process died at 251 MiB.
  if (flagValue(flags, 'max-heap-size') > 0) return heapSizeLimit * 0.8
  const semiSpace = flagValue(flags, 'max-semi-space-size')
  if (semiSpace > 0) return heapSizeLimit - 3 * semiSpace * mebibyte
  return heapSizeLimit - Math.min(youngGenerationMaxBytes, heapSizeLimit * youngGenerationMaxPart)
}

function flagValue(flags: string, name: string): number {
  const pattern = new RegExp(`(?:^|\\s)--${name.replaceAll('-', '[-_]')}[=\\s]+(\\d+)(?![\\d.%])`, 'g')
  return Number([...flags.matchAll(pattern)].at(-1)?.[1] ?? 0)
}
