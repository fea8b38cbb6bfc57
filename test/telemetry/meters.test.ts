import fc from 'fast-check'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { Meters } from '../../src/telemetry/metrics/meters.ts'

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
          expect(await meters.registry.metrics()).toBe(await registry.metrics())
        },
      ),
    ))

  it('have a series for each combination of what is known beforehand, and one for what comes later', async () => {
    const meters = new Meters()
    const counter = meters.counter('c_total', 'Counts.', { one: ['a', 'b'], two: ['c', 'd'] })
    counter.of({ two: 'c', one: 'a' }).add()
    expect(counter.of({ one: 'a', two: 'c' })).toBe(counter.of({ two: 'c', one: 'a' }))
    counter.of({ one: 'new', two: 'c' }).add()
    const lines = (await meters.registry.metrics()).split('\n').filter((line) => line.startsWith('c_total'))
    expect(lines).toEqual([
      'c_total{one="a",two="c"} 1',
      'c_total{one="a",two="d"} 0',
      'c_total{one="b",two="c"} 0',
      'c_total{one="b",two="d"} 0',
      'c_total{one="new",two="c"} 1',
    ])
  })
})
