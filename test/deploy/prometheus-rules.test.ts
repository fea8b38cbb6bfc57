import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { RULES_FILE, readAlarmRules } from '../../scripts/generate/alarm-rules.ts'
import { itWith } from '../support/it-with.ts'
import { type KnownMetrics, knownMetrics } from './known-metrics.ts'
import { promqlFaults } from './promql-faults.ts'

const execute = promisify(execFile)
const rules = readAlarmRules()
const testsFile = 'deploy/prometheus/rules.test.yaml'

/** What `promtool test rules` checks: which alarms fire for which coordinators at a moment. */
interface RuleTest {
  readonly name: string
  readonly input_series: readonly { readonly series: string }[]
  readonly promql_expr_test: readonly {
    readonly expr: string
    readonly exp_samples: readonly { labels: string }[]
  }[]
}
const { tests } = parse(readFileSync(testsFile, 'utf8')) as { tests: readonly RuleTest[] }

describe('deploy/prometheus/rules.yaml', () => {
  let known: KnownMetrics
  beforeAll(async () => {
    known = await knownMetrics()
  })

  it.each(rules)('$alert asks only for metrics, labels and values that a coordinator has', ({ expr }) => {
    expect(promqlFaults(expr, known)).toEqual([])
  })

  it.each(rules)(
    '$alert has a severity, says what it means and what to do, and leads to its own heading',
    (rule) => {
      const { alert, labels, annotations } = rule
      expect(['page', 'ticket']).toContain(labels['severity'])
      expect(Object.keys(annotations)).toEqual(['summary', 'description', 'action', 'runbook'])
      for (const text of [annotations['description'], annotations['action']])
        expect(text).toMatch(/^[A-Z`].*[.]$/)
      expect(annotations['summary']).not.toMatch(/[.]$/)
      const [page = '', heading] = annotations['runbook']?.split('#') ?? []
      expect(heading).toBe(alert.toLowerCase())
      expect(readFileSync(page, 'utf8')).toContain(`\n### ${alert}\n`)
    },
  )

  it.each(rules)('$alert names the coordinator, if it is about a single one', ({ alert, annotations }) => {
    const isAboutAll = ['CoordinatorAbsent', 'CoordinatorVersionSkew'].includes(alert)
    expect(annotations['summary']?.includes('$labels.instance')).toBe(!isAboutAll)
  })

  it.each(rules)(
    '$alert has no label that changes with the value: each would be a new alarm',
    ({ labels }) => {
      expect(Object.keys(labels)).toEqual(['severity'])
      expect(JSON.stringify(labels)).not.toContain('{{')
    },
  )

  it('has the job that the example and the PodMonitor for Kubernetes scrape', () => {
    const jobs = new Set(
      rules.flatMap(({ expr }) => [...expr.matchAll(/job="([^"]*)"/g)].map(([, job]) => job)),
    )
    expect([...jobs]).toEqual(['coordinator'])
    const { scrape_configs } = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8'))
    expect(scrape_configs).toMatchObject([{ job_name: 'coordinator' }])
    // Without jobLabel, the job would be called coordinator/coordinator.
    const { spec } = parse(readFileSync('deploy/kubernetes/monitoring/pod-monitor.yaml', 'utf8'))
    expect(spec.selector.matchLabels[spec.jobLabel]).toBe('coordinator')
  })

  it('has no two alarms of one name', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  })

  itWith('promtool')('has nothing that promtool objects to', async () => {
    const { stdout } = await execute('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE])
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`)
  })
})

describe('deploy/prometheus/rules.test.yaml', () => {
  /** The alarms that a test expects at each of its moments. */
  const expected = ({ promql_expr_test }: RuleTest) =>
    promql_expr_test.map(({ exp_samples }) =>
      exp_samples.flatMap(({ labels }) => /alertname="(\w+)"/.exec(labels)?.[1] ?? []),
    )

  it.each(rules)(
    '$alert has a moment at which it fires, and nothing else does, and one at which it does not',
    ({ alert }) => {
      const own = tests.filter(({ name }) => name === alert)
      expect(own.flatMap(expected)).toContainEqual([alert])
      expect(own.flatMap(expected)).toContainEqual([])
    },
  )

  it('looks at all alarms of all coordinators at each moment', () => {
    const queries = new Set(tests.flatMap(({ promql_expr_test }) => promql_expr_test.map(({ expr }) => expr)))
    expect([...queries]).toEqual(['count by (alertname, instance) (ALERTS{alertstate="firing"})'])
  })

  it('has series of two coordinators, with names and labels that coordinators have', async () => {
    const known = await knownMetrics()
    for (const { name, input_series } of tests) {
      const series = input_series.map((each) => each.series)
      for (const instance of ['a', 'b'])
        expect(
          series.some((each) => each.includes(`instance="${instance}"`)),
          name,
        ).toBe(true)
      for (const each of series) expect([each, promqlFaults(each, known)]).toEqual([each, []])
    }
  })

  itWith('promtool')(
    'holds',
    async () => {
      const { stdout } = await execute('promtool', ['test', 'rules', testsFile])
      expect(stdout).toContain('SUCCESS')
    },
    180_000,
  )
})

describe('the check of queries finds', () => {
  it.each([
    ['sum(rate(coordinator_commits_total[5m])', 'syntax error'],
    ['coordinator_commit_total', 'no metric coordinator_commit_total'],
    ['coordinator_commit_queue_depth{backend="postgres"}', 'no label backend'],
    ['coordinator_database_status{status="degrade"}', 'no status degrade'],
    ['coordinator_database_status{status=~"connecting|load"}', 'no status load'],
    ['coordinator_access_denied_total{reason!="unavailabel"}', 'no reason unavailabel'],
    ['sum by (backend) (coordinator_commit_queue_depth)', 'no label backend to group by'],
    ['sum without (state) (coordinator_commit_queue_depth)', 'no label state to group by'],
    ['up * on (job, host) coordinator_uptime_seconds', 'no label host to group by'],
    ['rate(coordinator_commit_queue_depth[5m])', 'rate of the gauge'],
    ['deriv(coordinator_commits_total[5m])', 'deriv of the counter'],
    ['histogram_quantile(0.9, coordinator_commit_duration_seconds_sum)', 'has no buckets'],
  ])('the mistake in %s', async (query, fault) => {
    expect(promqlFaults(query, await knownMetrics()).join()).toContain(fault)
  })
})
