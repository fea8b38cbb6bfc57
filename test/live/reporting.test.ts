import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { reportLive } from '../../src/live/report-live.ts'
import { createLogger } from '../../src/telemetry/logging.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { commitOf, idsOf, put } from '../conformance/build.ts'
import { Caller } from '../conformance/caller.ts'
import { shortened } from '../support/shortened-store.ts'
import { type LiveScope, type LiveSetup, until, withLive } from '../support/with-live.ts'

type Line = Readonly<Record<string, unknown>>

interface ReportScope extends LiveScope {
  /** Lines of the log with a message. */
  readonly logged: (msg: string) => Line[]
  readonly sampled: (series: string) => Promise<number>
}

/** A live layer whose log and metrics are read. */
function withReport(body: (scope: ReportScope) => Promise<void>, setup: LiveSetup = {}): Promise<void> {
  return withLive(
    async (scope) => {
      const lines: Line[] = []
      const destination = new PassThrough()
      destination.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().trimEnd().split('\n')) lines.push(JSON.parse(line) as Line)
      })
      const logger = await createLogger({ level: 'debug', format: 'json', destination })
      const metrics = createMetrics({ backend: 'memory', process: false })
      scope.live.observe(reportLive(logger, metrics.live))
      await scope.live.start()
      await body({
        ...scope,
        logged: (msg) => lines.filter((line) => line['msg'] === msg),
        sampled: async (series) => {
          const line = (await metrics.text()).split('\n').find((text) => text.startsWith(`${series} `))
          return Number(line?.slice(series.length + 1))
        },
      })
    },
    { ...setup, started: false },
  )
}

describe('the report of the live layer', () => {
  it('tells the first load as such, and no reload of it', () =>
    withReport(async ({ live, logged, sampled }) => {
      expect(logged('the records are loaded')).toMatchObject([
        { level: 'info', revision: 0, lineage: live.view.lineage, refusedRecords: 0 },
      ])
      expect(logged('the live view was loaded again')).toEqual([])
      expect(await sampled('coordinator_view_reloads_total')).toBe(0)
      expect(logged('the state of the database changed')).toMatchObject([
        { level: 'debug', state: 'loading' },
        {},
      ])
    }))

  it('tells each later one with its reason, and counts it', () =>
    withReport(async ({ live, store, logged, sampled, another }) => {
      store.always({ does: 'fail' }, 'changes')
      const other = await another({ started: true })
      for (const id of ['a', 'b', 'c']) await other.live.commit(commitOf(put(id)))
      await store.inner.compact(3)
      store.heal()
      await until(() => live.view.revision === 3)
      expect(logged('the live view was loaded again')).toMatchObject([
        { level: 'warn', revision: 3, reason: 'The journal after revision 0 is gone.' },
      ])
      expect(logged('the records are loaded')).toHaveLength(1)
      expect(await sampled('coordinator_view_reloads_total')).toBe(1)
      expect(await sampled('coordinator_history_forks_total')).toBe(0)
    }))

  it('tells loudly of a database that contradicts what it had acknowledged, and counts that', () =>
    withReport(async ({ live, store, logged, sampled }) => {
      for (const id of ['a', 'b']) await live.commit(commitOf(put(id)))
      const known = live.view.position
      store.inner = await shortened(store.inner, 1)
      await until(() => live.view.lineage !== known.lineage)
      const [line, ...more] = logged(
        'the database contradicts its acknowledged history: it was restored, or lost its newest commits; a new lineage begins',
      )
      expect(more).toEqual([])
      expect(line).toMatchObject({ level: 'error', status: 'ahead', known, found: { revision: 1 } })
      expect(await sampled('coordinator_history_forks_total')).toBe(1)
    }))

  it('names the first twenty records that are not served, and counts the others', async () => {
    const inner = new MemoryStore()
    const caller = await Caller.at(inner)
    await caller.send(...idsOf('r', 25).map((id) => commitOf(put(id))))
    await withReport(
      async ({ logged, live }) => {
        const named = logged('a record breaks the rules of its kind and is not served')
        expect(named).toHaveLength(20)
        expect(named[0]).toMatchObject({
          level: 'warn',
          record: { kind: 'service', id: 'r00', reason: 'not so' },
        })
        expect(logged('the records are loaded')).toMatchObject([{ refusedRecords: 25 }])
        expect(live.figures.refusedRecords).toBe(25)
      },
      { inner, domain: { kinds: { service: () => 'not so' }, projections: [] } },
    )
  })

  it('counts commits by how they were answered, and batches by their size', () =>
    withReport(async ({ live, sampled }) => {
      const first = commitOf(put('a'))
      await Promise.all([live.commit(first), live.commit(commitOf(put('b')))])
      await live.commit(first)
      await live.commit(commitOf(put('b')))
      await live.commit(commitOf(put('b', { v: 2 }, { expect: 7 })))
      await live.commit({ ...first, fingerprint: 'other' })
      await live.commit(commitOf(put('nul\0'))).catch(() => undefined)
      const outcomes = ['accepted', 'replayed', 'unchanged', 'conflict', 'reused', 'failed']
      const counts = await Promise.all(
        outcomes.map((outcome) =>
          sampled(`coordinator_commits_total{backend="memory",outcome="${outcome}"}`),
        ),
      )
      expect(counts).toEqual([2, 1, 1, 1, 1, 1])
      expect(await sampled('coordinator_commit_duration_seconds_count{backend="memory"}')).toBe(7)
      expect(await sampled('coordinator_commit_batch_size_bucket{le="1",backend="memory"}')).toBe(5)
      expect(await sampled('coordinator_commit_batch_size_bucket{le="2",backend="memory"}')).toBe(6)
    }))

  it('tells that history was forgotten, once for each time that the floor rose', () =>
    withReport(
      async ({ live, store, logged }) => {
        for (let n = 0; n < 12; n += 1) await live.commit(commitOf(put('a', { n })))
        await until(() => logged('old history was forgotten').length > 0)
        await until(() => store.callsOf('compact').length > 0)
        const floors = logged('old history was forgotten').map(({ floor }) => floor as number)
        expect(floors).toEqual([...new Set(floors)].sort((left, right) => left - right))
        expect(live.figures.floor).toBe(floors.at(-1))
      },
      { options: { keepHours: 0, keepRevisions: 4 } },
    ))

  it('tells of work in the background that failed, with its cause', () =>
    withReport(
      async ({ live, store, logged }) => {
        store.always({ does: 'fail', code: 'COORD_STORE_RIGHTS' }, 'compact')
        for (let n = 0; n < 12; n += 1) await live.commit(commitOf(put('a', { n })))
        await until(() => logged('work in the background failed').length > 0)
        expect(logged('work in the background failed')[0]).toMatchObject({
          level: 'warn',
          task: 'retention',
          err: { code: 'COORD_STORE_RIGHTS' },
        })
      },
      { options: { keepHours: 0, keepRevisions: 4 } },
    ))

  it('says why a database is not there yet', () =>
    withLive(
      async ({ live, store }) => {
        const lines: Line[] = []
        const destination = new PassThrough().on('data', (chunk: Buffer) => {
          for (const line of chunk.toString().trimEnd().split('\n')) lines.push(JSON.parse(line) as Line)
        })
        const logger = await createLogger({ level: 'info', format: 'json', destination })
        const metrics = createMetrics({ backend: 'memory', process: false })
        live.observe(reportLive(logger, metrics.live))
        store.next('open', { does: 'fail', code: 'COORD_STORE_UNAVAILABLE' })
        await live.start()
        expect(lines.find(({ msg }) => msg === 'the database is not there yet')).toMatchObject({
          level: 'warn',
          state: 'connecting',
          code: 'COORD_STORE_UNAVAILABLE',
          repair: expect.stringContaining('DATABASE_URL'),
        })
      },
      { started: false },
    ))
})
