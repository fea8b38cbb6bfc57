import fc from 'fast-check'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { ProcessHeap } from '../../src/live/memory/process-heap.ts'
import { Meters } from '../../src/telemetry/metrics/meters.ts'
import { nodeMetrics } from '../../src/telemetry/metrics/node-metrics.ts'

const bounds = [0.5, 1, 2.5, 10]
const label = fc.constantFrom('a', 'b', 'x"y', 'two\nlines', 'back\\slash', '')

describe('metrics that find their series once', () => {
  it('are written as prom-client writes its own', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ one: label, two: label, value: fc.double({ min: 0, max: 20, noNaN: true }) })),
        async (events) => {
          const meters = new Meters()
          const counter = meters.counter('c_total', 'Counts.', { one: ['a', 'b'], two: ['a'] })
          const histogram = meters.histogram('h', 'Sizes.', { labels: { one: ['b'], two: ['a'] }, bounds })
          meters.gauges({ g: ['A gauge.', () => events.length] })
          meters.gaugeBy(
            { one: ['a', 'b'] },
            { name: 'by', help: 'By one.', read: ({ one }) => (one === 'a' ? 1 : undefined) },
          )
          meters.totals({ t_total: ['A total.', () => events.length] })

          const registry = new Registry()
          const shared = { labelNames: ['one', 'two'], registers: [registry] }
          const theirCounter = new Counter({ name: 'c_total', help: 'Counts.', ...shared })
          const theirHistogram = new Histogram({ name: 'h', help: 'Sizes.', buckets: bounds, ...shared })
          const gauge = new Gauge({ name: 'g', help: 'A gauge.', registers: [registry] })
          const by = new Gauge({ name: 'by', help: 'By one.', labelNames: ['one'], registers: [registry] })
          const total = new Counter({ name: 't_total', help: 'A total.', registers: [registry] })
          for (const one of ['a', 'b']) {
            theirCounter.inc({ one, two: 'a' }, 0)
            by.set({ one }, one === 'a' ? 1 : 0)
          }
          theirHistogram.zero({ one: 'b', two: 'a' })
          gauge.set(events.length)
          total.inc(events.length)

          for (const { one, two, value } of events) {
            counter.of({ one, two }).add()
            theirCounter.inc({ one, two })
            histogram.of({ one, two }).observe(value)
            theirHistogram.observe({ one, two }, value)
          }
          expect(meters.registry.text()).toBe(await registry.metrics())
        },
      ),
    ))

  it('have a series for each combination of what is known beforehand, and one for what comes later', async () => {
    const meters = new Meters()
    const counter = meters.counter('c_total', 'Counts.', { one: ['a', 'b'], two: ['c', 'd'] })
    counter.of({ two: 'c', one: 'a' }).add()
    expect(counter.of({ one: 'a', two: 'c' })).toBe(counter.of({ two: 'c', one: 'a' }))
    counter.of({ one: 'new', two: 'c' }).add()
    const lines = meters.registry
      .text()
      .split('\n')
      .filter((line) => line.startsWith('c_total'))
    expect(lines).toEqual([
      'c_total{one="a",two="c"} 1',
      'c_total{one="a",two="d"} 0',
      'c_total{one="b",two="c"} 0',
      'c_total{one="b",two="d"} 0',
      'c_total{one="new",two="c"} 1',
    ])
  })
})

/** Without the numbers. */
const seriesOf = (text: string) =>
  text.split('\n').map((line) => (line.startsWith('#') ? line : line.replace(/ \S+$/, '')))
/** What Node.js keeps open, and which collections happen, is a matter of the moment. */
const ofTheMoment = /^nodejs_(active_resources|gc_duration_seconds_(bucket|sum|count))\{/

describe('metrics of the process', () => {
  it('have the names, texts and labels of prom-client', async () => {
    const meters = new Meters()
    nodeMetrics(meters)
    const theirs = new Registry()
    collectDefaultMetrics({ register: theirs })
    // These two read members of `process` that Node.js does not document.
    for (const name of ['nodejs_active_handles', 'nodejs_active_requests'])
      for (const end of ['', '_total']) theirs.removeSingleMetric(name + end)
    // A gauge with the name of a counter.
    theirs.removeSingleMetric('nodejs_active_resources_total')
    const lasting = (text: string) => new Set(seriesOf(text).filter((line) => !ofTheMoment.test(line)))
    expect(lasting(meters.registry.text())).toEqual(lasting(await theirs.metrics()))
  })

  it('are near those of prom-client', async () => {
    const meters = new Meters()
    nodeMetrics(meters)
    const theirs = new Registry()
    collectDefaultMetrics({ register: theirs })
    const numbers = (text: string) =>
      new Map([...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]))
    const [ours, other] = [numbers(meters.registry.text()), numbers(await theirs.metrics())]
    for (const name of [
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      ...(process.platform === 'linux'
        ? ['process_virtual_memory_bytes', 'process_heap_bytes', 'process_open_fds']
        : []),
      ...(process.platform === 'linux' ? ['process_max_fds'] : []),
      'nodejs_heap_size_total_bytes',
      'nodejs_heap_size_used_bytes',
      'nodejs_external_memory_bytes',
    ]) {
      const ratio = (ours.get(name) ?? 0) / (other.get(name) ?? 0)
      expect(ratio, name).toBeGreaterThan(0.8)
      expect(ratio, name).toBeLessThan(1.25)
    }
    // prom-client counts from its first call on, and ours from the start of the process.
    expect(ours.get('process_cpu_seconds_total')).toBeCloseTo(
      (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
      0,
    )
  })

  it('count the collections of garbage', async () => {
    const meters = new Meters()
    nodeMetrics(meters)
    const count = () =>
      [...meters.registry.text().matchAll(/^nodejs_gc_duration_seconds_count\{.*\} (\d+)$/gm)].reduce(
        (sum, [, number]) => sum + Number(number),
        0,
      )
    const before = count()
    await new ProcessHeap().collect()
    // The observer hears of it in a later turn.
    await expect.poll(count).toBeGreaterThan(before)
  })
})
