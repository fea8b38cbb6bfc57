import { describe, expect, it } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import { databaseOperations } from '../../src/telemetry/metrics/database-metrics.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { scrape } from './scrape.ts'

const backends = ['memory', 'sqlite', 'postgres', 'supabase'] as const

function make(backend: (typeof backends)[number] = 'postgres') {
  return createMetrics({ backend, process: false })
}

describe.each(backends)('the first scrape on %s', (backend) => {
  it('has a zero sample of every connection role and state', async () => {
    const samples = await scrape(make(backend))
    for (const role of ['writer', 'reader']) {
      for (const state of ['idle', 'used', 'waiting']) {
        const series = `coordinator_database_connections{backend="${backend}",role="${role}",state="${state}"}`
        expect(samples.get(series), series).toBe(0)
      }
    }
  })

  it('has a zero sample of queries and of errors for every operation', async () => {
    const samples = await scrape(make(backend))
    for (const operation of databaseOperations) {
      const ok = `coordinator_database_queries_total{backend="${backend}",operation="${operation}",outcome="ok"}`
      const failed = `coordinator_database_errors_total{backend="${backend}",operation="${operation}",class="unavailable",code="other"}`
      expect(samples.get(ok), ok).toBe(0)
      expect(samples.get(failed), failed).toBe(0)
    }
  })

  it('has a sample of every other metric but requests and replicas', async () => {
    const metrics = make(backend)
    const text = await metrics.text()
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1] ?? '')
    const samples = [...(await scrape(metrics)).keys()]
    const silent = names.filter((name) => !samples.some((series) => series.startsWith(name)))
    expect(silent).toEqual([
      ...['up', 'revision', 'lag_revisions', 'role', 'state', 'connections'].map(
        (figure) => `coordinator_database_replica_${figure}`,
      ),
      'coordinator_http_request_duration_seconds',
    ])
    expect(names.every((name) => /^coordinator_[a-z_]+$/.test(name))).toBe(true)
    // Prometheus computes rates of what is called so: a gauge with that name is read wrongly.
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\w+)$/gm))
      expect(type === 'counter', name).toBe(name?.endsWith('_total'))
  })
})

describe('a call to the database', () => {
  it('that succeeds counts as ok, with its duration', async () => {
    const metrics = make()
    expect(await metrics.database.measure('commit', async () => 7)).toBe(7)
    const samples = await scrape(metrics)
    expect(
      samples.get('coordinator_database_queries_total{backend="postgres",operation="commit",outcome="ok"}'),
    ).toBe(1)
    expect(
      samples.get('coordinator_database_query_duration_seconds_count{backend="postgres",operation="commit"}'),
    ).toBe(1)
  })

  it.each([
    [new CoordinatorError('COORD_STORE_UNAVAILABLE', { sourceCode: '08006' }), 'unavailable', '08006'],
    [new CoordinatorError('COORD_STORE_UNAVAILABLE', { sourceCode: 'PGRST002' }), 'unavailable', 'PGRST002'],
    [new CoordinatorError('COORD_STORE_UNAVAILABLE', { sourceCode: 'ECONNREFUSED' }), 'unavailable', 'other'],
    [new CoordinatorError('COORD_STORE_UNAVAILABLE', { sourceCode: 'EPIPE' }), 'unavailable', 'other'],
    [new CoordinatorError('COORD_STORE_TIMEOUT', { sourceCode: '57014' }), 'timeout', '57014'],
    [new CoordinatorError('COORD_STORE_READ_ONLY', { sourceCode: '1544' }), 'read_only', 'other'],
    [new CoordinatorError('COORD_SCHEMA_OLD', { sourceCode: '42P01' }), 'schema', '42P01'],
    [new CoordinatorError('COORD_CONFIG_INVALID', { sourceCode: '28P01' }), 'config', '28P01'],
    [new CoordinatorError('COORD_INTERNAL'), 'fault', 'other'],
    [new Error('select secret from table'), 'fault', 'other'],
  ])('that fails with %s counts as an error of class %s and code %s', async (error, errorClass, code) => {
    const metrics = make()
    await expect(metrics.database.measure('changes', () => Promise.reject(error))).rejects.toBe(error)
    const samples = await scrape(metrics)
    const labels = `backend="postgres",operation="changes"`
    expect(samples.get(`coordinator_database_queries_total{${labels},outcome="error"}`)).toBe(1)
    expect(
      samples.get(`coordinator_database_errors_total{${labels},class="${errorClass}",code="${code}"}`),
    ).toBe(1)
  })

  it('that is refused for what the caller asked is no error of the database', async () => {
    const metrics = make()
    const refusal = new CoordinatorError('COORD_REVISION_COMPACTED')
    await expect(metrics.database.measure('as_of', () => Promise.reject(refusal))).rejects.toBe(refusal)
    const samples = await scrape(metrics)
    expect(
      samples.get(
        'coordinator_database_queries_total{backend="postgres",operation="as_of",outcome="refused"}',
      ),
    ).toBe(1)
    expect(
      [...samples].filter(([name, value]) => name.startsWith('coordinator_database_errors') && value > 0),
    ).toEqual([])
  })

  it('that answers in pages counts each page, and closes the source when its reader stops', async () => {
    const metrics = make()
    let closed = 0
    async function* pages() {
      try {
        yield* [1, 2, 3]
      } finally {
        closed += 1
      }
    }
    const seen: number[] = []
    for await (const page of metrics.database.measurePages('load', pages())) seen.push(page)
    for await (const page of metrics.database.measurePages('load', pages())) {
      seen.push(page)
      break
    }
    expect(seen).toEqual([1, 2, 3, 1])
    expect(closed).toBe(2)
    const samples = await scrape(metrics)
    expect(
      samples.get('coordinator_database_queries_total{backend="postgres",operation="load",outcome="ok"}'),
    ).toBe(4)
  })

  it('that fails between two pages counts as an error', async () => {
    const metrics = make()
    const error = new CoordinatorError('COORD_STORE_UNAVAILABLE')
    async function* pages() {
      yield 1
      throw error
    }
    await expect(Array.fromAsync(metrics.database.measurePages('load', pages()))).rejects.toBe(error)
    const samples = await scrape(metrics)
    expect(
      samples.get('coordinator_database_queries_total{backend="postgres",operation="load",outcome="error"}'),
    ).toBe(1)
  })
})

describe('gauges', () => {
  it('ask their sources at every scrape', async () => {
    const metrics = make()
    let used = 1
    metrics.ask({
      status: () => 'ready',
      registeredServices: () => 12,
      graph: () => ({
        nodes: 3,
        edges: 4,
        unresolved: 2,
        rebuildDifferences: 0,
        edgesByType: new Map([['depends_on', 4]]),
      }),
      live: () => ({
        queueDepth: 5,
        headRevision: 9,
        viewRevision: 7,
        floor: 2,
        ageMs: 1_500,
        refusedRecords: 1,
        isReplaced: true,
        past: { reading: 2, waiting: 7, refused: 6 },
      }),
    })
    metrics.ask({
      connections: () => ({
        writer: { idle: 0, used, waiting: 2, max: 1 },
        follower: { idle: 1, used: 0, waiting: 0, max: 1 },
        reader: { idle: 3, used: 0, waiting: 0, max: 3 },
      }),
    })
    const first = await scrape(metrics)
    expect(Object.fromEntries([...first].filter(([, value]) => value !== 0 && value !== 1))).toMatchObject({
      coordinator_registered_services: 12,
      coordinator_graph_nodes: 3,
      coordinator_graph_edges: 4,
      coordinator_commit_queue_depth: 5,
      coordinator_head_revision: 9,
      coordinator_view_revision: 7,
      coordinator_view_lag_revisions: 2,
      coordinator_past_reads_under_way: 2,
      coordinator_past_reads_waiting: 7,
      coordinator_past_reads_refused_total: 6,
      coordinator_view_age_seconds: 1.5,
      coordinator_floor_revision: 2,
      'coordinator_database_connections{backend="postgres",role="writer",state="waiting"}': 2,
      'coordinator_database_connections{backend="postgres",role="reader",state="idle"}': 3,
      'coordinator_database_connections_max{backend="postgres",role="reader"}': 3,
    })
    expect(first.get('coordinator_database_status{backend="postgres",status="ready"}')).toBe(1)
    expect(first.get('coordinator_database_status{backend="postgres",status="degraded"}')).toBe(0)
    used = 4
    const second = await scrape(metrics)
    expect(
      second.get('coordinator_database_connections{backend="postgres",role="writer",state="used"}'),
    ).toBe(4)
  })
})

describe('events', () => {
  it('are counted', async () => {
    const metrics = make()
    metrics.database.acquired('reader', { waitMs: 0, waited: false })
    metrics.database.acquired('reader', { waitMs: 20, waited: true })
    metrics.database.acquireTimedOut('writer')
    metrics.live.batch({ commits: 30 })
    metrics.live.committed('conflict', 2)
    metrics.live.reloaded()
    metrics.live.forked()
    metrics.http.request({ method: 'GET', route: '/services/:serviceId', status: 200, durationMs: 0.4 })
    const samples = await scrape(metrics)
    const labels = 'backend="postgres"'
    for (const [series, value] of [
      [`coordinator_database_acquires_total{${labels},role="reader"}`, 2],
      [`coordinator_database_empty_acquires_total{${labels},role="reader"}`, 1],
      [`coordinator_database_acquire_timeouts_total{${labels},role="writer"}`, 1],
      [`coordinator_database_connection_wait_seconds_sum{${labels},role="reader"}`, 0.02],
      [`coordinator_commit_batch_size_sum{${labels}}`, 30],
      [`coordinator_commits_total{${labels},outcome="conflict"}`, 1],
      ['coordinator_view_reloads_total', 1],
      ['coordinator_history_forks_total', 1],
      [
        'coordinator_http_request_duration_seconds_bucket{le="0.0005",method="GET",route="/services/:serviceId",status="200"}',
        1,
      ],
    ] as const) {
      expect(samples.get(series), series).toBe(value)
    }
  })

  it('of one coordinator do not reach the metrics of another in the same process', async () => {
    const [one, other] = [make(), make()]
    one.live.reloaded()
    expect((await scrape(other)).get('coordinator_view_reloads_total')).toBe(0)
  })
})

it('no gauge of the process has the name of a counter: Prometheus would compute rates of it', async () => {
  const text = await createMetrics({ backend: 'memory' }).text()
  expect(text.match(/^# TYPE \S+_total gauge$/gm)).toBe(null)
})

it('the process is told about unless it is switched off', async () => {
  const names = (await scrape(createMetrics({ backend: 'memory', version: '1.2.3' }))).keys()
  const all = [...names]
  expect(all).toContain('process_resident_memory_bytes')
  expect(all.filter((name) => name.startsWith('nodejs_active_resources{'))).not.toEqual([])
  expect(all).toContain(`coordinator_build_info{version="1.2.3",node="${process.version}",backend="memory"}`)
})
