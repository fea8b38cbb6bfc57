import { describe, expect, it } from 'vitest'
import { createMetrics, type MetricSources } from '../../src/telemetry/metrics.ts'
import { createScrubber } from '../../src/telemetry/scrub.ts'
import { MovedClock } from '../support/moved-clock.ts'
import { scrape } from './scrape.ts'

type Metrics = ReturnType<typeof createMetrics>

const make = () => createMetrics({ backend: 'memory', process: false })

/** The upper bound of the lowest bucket that has an observation, and the sum of all. */
async function observed(metrics: Metrics, name: string): Promise<readonly [lowest: number, sum: number]> {
  const samples = [...(await scrape(metrics))].filter(([series]) => series.startsWith(name))
  const bounds = samples.flatMap(([series, count]) => {
    const bound = /[{,]le="([^"]+)"/.exec(series)?.[1]
    return bound === undefined || bound === '+Inf' || count === 0 ? [] : Number(bound)
  })
  const sum = samples
    .filter(([series]) => series.startsWith(`${name}_sum`))
    .reduce((total, [, value]) => total + value, 0)
  return [Math.min(...bounds), sum]
}

describe('durations are told in seconds', () => {
  it('of a commit of 50 ms as 0.05', async () => {
    const metrics = make()
    metrics.live.committed('accepted', 50)
    expect(await observed(metrics, 'coordinator_commit_duration_seconds')).toEqual([0.05, 0.05])
  })

  it('of a wait of 250 ms for a connection as 0.25', async () => {
    const metrics = make()
    metrics.database.acquired('writer', { waitMs: 250, waited: true })
    expect(await observed(metrics, 'coordinator_database_connection_wait_seconds')).toEqual([0.25, 0.25])
  })

  it('of a request of 1,000 ms as 1', async () => {
    const metrics = make()
    metrics.http.request({ method: 'GET', route: '/services', status: 200, durationMs: 1_000 })
    expect(await observed(metrics, 'coordinator_http_request_duration_seconds')).toEqual([1, 1])
  })

  it('of a call that took tens of milliseconds as hundredths', async () => {
    using clock = new MovedClock()
    const metrics = make()
    await metrics.database.measure('head', async () => clock.advance(30))
    const [lowest, sum] = await observed(metrics, 'coordinator_database_query_duration_seconds')
    expect(lowest).toBeGreaterThanOrEqual(0.05)
    expect(sum).toBeGreaterThanOrEqual(0.029)
    expect(sum).toBeLessThan(10)
    expect(metrics.database.calls.latency['head']?.p50Ms).toBeGreaterThanOrEqual(29)
  })

  it('not of the time that a reader takes between two pages', async () => {
    using clock = new MovedClock()
    const metrics = make()
    async function* pages(eachMs: number) {
      for (const page of [1, 2]) {
        clock.advance(eachMs)
        yield page
      }
    }
    const sum = async () => (await observed(metrics, 'coordinator_database_query_duration_seconds'))[1]
    for await (const _ of metrics.database.measurePages('load', pages(0))) clock.advance(100_000)
    expect(await sum()).toBeLessThan(0.1)
    for await (const _ of metrics.database.measurePages('load', pages(1_000))) clock.advance(100_000)
    expect(Math.round(await sum())).toBe(2)
  })
})

describe('figures', () => {
  const live = {
    ...{ queueDepth: 0, headRevision: 0, viewRevision: 0, floor: 0, ageMs: 0, refusedRecords: 0 },
    isReplaced: false,
    past: { reading: 0, waiting: 0, refused: 0 },
  }

  it('of how far the view is behind are never negative', async () => {
    const metrics = make()
    metrics.ask({ live: () => ({ ...live, headRevision: 3, viewRevision: 5 }) })
    expect((await scrape(metrics)).get('coordinator_view_lag_revisions')).toBe(0)
  })

  it('of clients that follow, of edges and of commits are those that were told', async () => {
    const metrics = make()
    metrics.ask({
      live: () => ({ ...live, refusedRecords: 4 }),
      streams: () => 2,
      streamsCut: () => 3,
      graph: () => ({ nodes: 1, edges: 2, unresolved: 5, rebuildDifferences: 6, edgesByType: new Map() }),
    })
    for (let times = 0; times < 2; times += 1)
      expect(Object.fromEntries(await scrape(metrics))).toMatchObject({
        coordinator_http_streams: 2,
        coordinator_http_streams_cut_total: 3,
        coordinator_graph_unresolved_nodes: 5,
        coordinator_graph_rebuild_differences: 6,
        coordinator_view_refused_records: 4,
        'coordinator_graph_edges_by_type{type="depends_on"}': 0,
      })
  })

  it('of the size of a batch lie in the bucket that just holds it', async () => {
    const metrics = make()
    metrics.live.batch({ commits: 512 })
    expect(await observed(metrics, 'coordinator_commit_batch_size')).toEqual([512, 512])
  })
})

describe('figures of backups', () => {
  const backup = {
    ...{ state: 'failing' as const, unarchivedRevisions: 3, unarchivedSeconds: 9, lastSuccessAt: 5_000 },
    ...{ writtenBytes: 7, failures: 2, gaps: 4, drillHours: 12, drill: { ok: false, at: 8_000 } },
  }

  it('are those of the archiver, with times in seconds', async () => {
    const metrics = make()
    metrics.ask({ backup: () => backup })
    expect(Object.fromEntries(await scrape(metrics))).toMatchObject({
      'coordinator_backup_state{state="failing"}': 1,
      'coordinator_backup_state{state="off"}': 0,
      coordinator_backup_last_success_timestamp_seconds: 5,
      coordinator_backup_last_drill_timestamp_seconds: 8,
      coordinator_backup_drill_interval_seconds: 43_200,
      coordinator_backup_drill_ok: 0,
      coordinator_backup_failures_total: 2,
      coordinator_backup_gaps_total: 4,
    })
  })

  it('say without BACKUP_URL that there are none', async () => {
    expect(Object.fromEntries(await scrape(make()))).toMatchObject({
      'coordinator_backup_state{state="off"}': 1,
      coordinator_backup_drill_interval_seconds: 0,
    })
  })
})

describe('edges by type', () => {
  const edges = async (types: number) => {
    const metrics = make()
    // The first types have the most edges.
    const edgesByType = new Map(Array.from({ length: types }, (_, at) => [`t${at}`, 100 - at]))
    const graph: MetricSources['graph'] = () => ({
      ...{ nodes: 0, edges: 0, unresolved: 0, rebuildDifferences: 0 },
      edgesByType,
    })
    metrics.ask({ graph })
    const samples = await scrape(metrics)
    return new Map(
      [...samples].flatMap(([series, value]) => {
        const type = /^coordinator_graph_edges_by_type\{type="(.*)"\}$/.exec(series)?.[1]
        return type === undefined || type === 'depends_on' ? [] : [[type, value]]
      }),
    )
  }

  it('have a series each up to twenty types', async () => {
    const found = await edges(20)
    expect(found.size).toBe(20)
    expect(found.get('other')).toBeUndefined()
  })

  it('are told together as other from the twenty-first type on, the rarest ones', async () => {
    const found = await edges(23)
    expect(found.size).toBe(21)
    expect(found.get('t19')).toBe(81)
    expect(found.get('t20')).toBeUndefined()
    expect(found.get('other')).toBe(80 + 79 + 78)
  })
})

describe('edges of a type that is gone', () => {
  it('have no series any more', async () => {
    const metrics = make()
    let edgesByType = new Map([['owns', 3]])
    const figures = { nodes: 0, edges: 0, unresolved: 0, rebuildDifferences: 0 }
    metrics.ask({ graph: () => ({ ...figures, edgesByType }) })
    const series = 'coordinator_graph_edges_by_type{type="owns"}'
    expect((await scrape(metrics)).get(series)).toBe(3)
    edgesByType = new Map()
    expect((await scrape(metrics)).has(series)).toBe(false)
  })
})

describe('of two secrets one of which begins the other', () => {
  const [short, long] = ['hunter2-key', 'hunter2-key-of-another-one']

  it.each([[[short, long]], [[long, short]]])(
    'both are hidden whole, whichever is named first: %j',
    (secrets) => {
      const scrub = createScrubber(secrets)
      expect(scrub(`a ${long} b ${short} c`)).toBe('a [hidden] b [hidden] c')
    },
  )

  it('each is hidden however it is escaped, and a word of everyday or of five letters is left alone', () => {
    const scrub = createScrubber(['p@ss/w"rd', 'postgres', 'short'])
    expect(scrub('p@ss/w"rd p%40ss%2Fw%22rd')).toBe('[hidden] [hidden]')
    expect(scrub(JSON.stringify({ a: 'p@ss/w"rd' }))).toBe('{"a":"[hidden]"}')
    expect(scrub('postgres and short')).toBe('postgres and short')
    expect(createScrubber(['sixsix'])('sixsix')).toBe('[hidden]')
  })

  it('what looks like a key or like credentials in a URL is hidden without being named', () => {
    const scrub = createScrubber()
    expect(scrub('sb_secret_abc-1 and sb_publishable_x')).toBe(
      'sb_secret_[hidden] and sb_publishable_[hidden]',
    )
    expect(scrub('token eyJhbGciOiJI.eyJyb2xlIjoi.c2lnbmF0 end')).toBe('token eyJ[hidden] end')
    expect(scrub('postgres://ann:pw@host/db')).toBe('postgres://ann:[hidden]@host/db')
  })
})
