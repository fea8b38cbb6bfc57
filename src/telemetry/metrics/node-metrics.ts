import { readdirSync, readFileSync } from 'node:fs'
import { constants, monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import type { Meters } from './meters.ts'
import type { Sample } from './metric-registry.ts'

/** For the duration of garbage collections, in seconds. */
const collectionBounds = [0.001, 0.01, 0.1, 1, 2, 5]

/** A collection, as Node.js reports it. */
interface CollectionEntry extends PerformanceEntry {
  readonly detail: { readonly kind: number }
}

/** The usual metrics of a process and of Node.js, with the names that dashboards know from prom-client. */
export function nodeMetrics(meters: Meters): void {
  cpuMetrics(meters)
  memoryMetrics(meters)
  if (process.platform === 'linux') descriptorMetrics(meters)
  eventLoopMetrics(meters)
  activityMetrics(meters)
  heapMetrics(meters)
  collectionMetrics(meters)
}

function cpuMetrics(meters: Meters): void {
  const seconds = ({ user = 0, system = 0 }: { user?: number; system?: number }) => (user + system) / 1e6
  meters.totals({
    process_cpu_user_seconds_total: [
      'Total user CPU time spent in seconds.',
      () => seconds({ user: process.cpuUsage().user }),
    ],
    process_cpu_system_seconds_total: [
      'Total system CPU time spent in seconds.',
      () => seconds({ system: process.cpuUsage().system }),
    ],
    process_cpu_seconds_total: [
      'Total user and system CPU time spent in seconds.',
      () => seconds(process.cpuUsage()),
    ],
  })
  const startedAt = Math.round(Date.now() / 1_000 - process.uptime())
  meters.gauges({
    process_start_time_seconds: ['Start time of the process since unix epoch in seconds.', () => startedAt],
  })
}

function memoryMetrics(meters: Meters): void {
  const resident = 'Resident memory size in bytes.'
  if (process.platform !== 'linux') {
    meters.gauges({ process_resident_memory_bytes: [resident, () => process.memoryUsage.rss()] })
    return
  }
  // Linux makes this text at each reading. The first gauge of a scrape reads it for all three.
  let status = ''
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024
  meters.gauges({
    process_resident_memory_bytes: [
      resident,
      () => {
        status = readFileSync('/proc/self/status', 'utf8')
        return bytes('VmRSS')
      },
    ],
    process_virtual_memory_bytes: ['Virtual memory size in bytes.', () => bytes('VmSize')],
    process_heap_bytes: ['Process heap size in bytes.', () => bytes('VmData')],
  })
}

function descriptorMetrics(meters: Meters): void {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  meters.gauges({
    process_open_fds: [
      'Number of open file descriptors.',
      // One of them belongs to the reading itself.
      () => readdirSync('/proc/self/fd').length - 1,
    ],
    // There is no number where the limit is `unlimited`.
    ...(limit === undefined
      ? {}
      : { process_max_fds: ['Maximum number of open file descriptors.', () => Number(limit)] }),
  })
}

function eventLoopMetrics(meters: Meters): void {
  const delays = monitorEventLoopDelay()
  delays.enable()
  let lag = 0
  const measure = () => {
    const asked = performance.now()
    setImmediate(() => {
      lag = (performance.now() - asked) / 1_000
    })
    return lag
  }
  const percentile = (part: number) =>
    [
      `The ${part}th percentile of the recorded event loop delays.`,
      () => {
        const value = delays.percentile(part) / 1e9
        // The last one that a scrape reads: the next scrape tells what happened since this one.
        if (part === 99) delays.reset()
        return value
      },
    ] as const
  const recorded = (help: string, read: () => number) => [`The ${help}.`, () => read() / 1e9] as const
  meters.gauges({
    nodejs_eventloop_lag_seconds: ['Lag of event loop in seconds.', measure],
    nodejs_eventloop_lag_min_seconds: recorded('minimum recorded event loop delay', () => delays.min),
    nodejs_eventloop_lag_max_seconds: recorded('maximum recorded event loop delay', () => delays.max),
    nodejs_eventloop_lag_mean_seconds: recorded('mean of the recorded event loop delays', () => delays.mean),
    nodejs_eventloop_lag_stddev_seconds: recorded(
      'standard deviation of the recorded event loop delays',
      () => delays.stddev,
    ),
    nodejs_eventloop_lag_p50_seconds: percentile(50),
    nodejs_eventloop_lag_p90_seconds: percentile(90),
    nodejs_eventloop_lag_p99_seconds: percentile(99),
  })
}

function activityMetrics(meters: Meters): void {
  // Without a total of its own: its usual name, nodejs_active_resources_total, is that of a counter.
  meters.changingGauge(['type'], {
    name: 'nodejs_active_resources',
    help: 'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
    read: () => samplesOf('type', process.getActiveResourcesInfo()),
  })
}

function heapMetrics(meters: Meters): void {
  meters.gauges({
    nodejs_heap_size_total_bytes: [
      'Process heap size from Node.js in bytes.',
      () => process.memoryUsage().heapTotal,
    ],
    nodejs_heap_size_used_bytes: [
      'Process heap size used from Node.js in bytes.',
      () => process.memoryUsage().heapUsed,
    ],
    nodejs_external_memory_bytes: [
      'Node.js external memory size in bytes.',
      () => process.memoryUsage().external,
    ],
  })
  const sizes = { total: 'space_size', used: 'space_used_size', available: 'space_available_size' } as const
  for (const [size, member] of Object.entries(sizes))
    meters.changingGauge(['space'], {
      name: `nodejs_heap_space_size_${size}_bytes`,
      help: `Process heap space size ${size} from Node.js in bytes.`,
      read: () =>
        getHeapSpaceStatistics().map((space) => ({
          labels: { space: space.space_name.split('_space')[0] ?? '' },
          value: space[member as 'space_size'],
        })),
    })
  const [major = '', minor = '', patch = ''] = process.version.slice(1).split('.')
  meters.gaugeBy(
    { version: [process.version], major: [major], minor: [minor], patch: [patch] },
    { name: 'nodejs_version_info', help: 'Node.js version info.', read: () => 1 },
  )
}

function collectionMetrics(meters: Meters): void {
  const durations = meters.histogram(
    'nodejs_gc_duration_seconds',
    'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
    { labels: { kind: [] }, bounds: collectionBounds },
  )
  const kindOf = new Map([
    [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
    [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
    [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
    [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
  ])
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = kindOf.get((entry as CollectionEntry).detail.kind)
      if (kind !== undefined) durations.of({ kind }).observe(entry.duration / 1_000)
    }
  }).observe({ entryTypes: ['gc'] })
}

/** How often each word occurs, as samples with the word as the label. */
function samplesOf(label: string, words: readonly string[]): Sample[] {
  return [...Map.groupBy(words, (word) => word)].map(([word, { length: value }]) => ({
    labels: { [label]: word },
    value,
  }))
}
