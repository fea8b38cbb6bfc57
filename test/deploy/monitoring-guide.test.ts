import { execFile } from 'node:child_process'
import { cpSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { RULES_FILE, readAlarmRules } from '../../scripts/generate/alarm-rules.ts'
import { plainEnv, scratchFolder, serving } from '../main/coordinator-process.ts'
import { isInstalled, itWith } from '../support/it-with.ts'
import { knownMetrics } from './known-metrics.ts'
import { startPrometheus } from './prometheus-process.ts'
import { promqlFaults } from './promql-faults.ts'

const page = readFileSync('docs/monitoring.md', 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  )

/** Runs commands, and fails with their output. */
function run(script: string, cwd: string): Promise<string> {
  return new Promise((done, fail) => {
    execFile(
      'bash',
      ['-c', `set -euo pipefail; exec 2>&1\n${script}`],
      { cwd, env: plainEnv() },
      (error, output) => (error === null ? done(output) : fail(new Error(`${script}\n${output}`))),
    )
  })
}

describe('docs/monitoring.md', () => {
  const hasPrometheus = isInstalled('prometheus') && isInstalled('promtool')

  itWith('bash', 'curl', 'openssl')(
    `has commands that work, one after the other${hasPrometheus ? '' : ' (those of Prometheus not: it is not installed)'}`,
    async () => {
      await using folder = await scratchFolder()
      cpSync('deploy', join(folder.path, 'deploy'), { recursive: true })
      const [makeToken = '', serve = '', look = '', check = '', start = '', test = '', rule = '', ...others] =
        blocks('sh')
      expect(others).toEqual([])

      await run(makeToken, folder.path)
      expect(serve).toMatch(/^AUTH=required .* coordinator serve$/m)
      const settings = [...serve.matchAll(/(\w+)=(\S+) /g)].map(([, name, value]) => [name, value])
      await using coordinator = await serving({ cwd: folder.path, env: Object.fromEntries(settings) })
      const shown = await run(
        look.replace('http://127.0.0.1:3000', coordinator.url).replace('| head', ''),
        folder.path,
      )
      expect(shown).toContain('# HELP coordinator_')
      expect((await fetch(`${coordinator.url}/metrics`)).status).toBe(401)

      await run(rule, folder.path)
      const resource = parse(readFileSync(join(folder.path, 'monitoring/prometheus-rule.yaml'), 'utf8'))
      const { groups } = parse(readFileSync(RULES_FILE, 'utf8'))
      expect(resource).toMatchObject({ kind: 'PrometheusRule', spec: { groups } })
      if (!hasPrometheus) return

      expect(await run(check, folder.path)).toContain('SUCCESS: monitoring/prometheus.yml is valid')
      expect(await run(test, folder.path)).toContain('SUCCESS')
      // The port of this coordinator, and no wait of 15 seconds.
      const config = join(folder.path, 'monitoring/prometheus.yml')
      const text = readFileSync(config, 'utf8').replace('127.0.0.1:3000', new URL(coordinator.url).host)
      writeFileSync(config, text.replaceAll('15s', '1s'))
      const [program, ...args] = start.trim().split(' ')
      expect([program, args.pop()]).toEqual(['prometheus', '--web.listen-address=127.0.0.1:9090'])
      await using prometheus = await startPrometheus(args, folder.path)
      await expect.poll(() => prometheus.targets(), { interval: 200 }).toEqual(['up'])
    },
    180_000,
  )

  it('has configurations whose alarms and receivers exist', () => {
    const [prometheus = '', alertmanager = '', ...others] = blocks('yaml')
    expect(others).toEqual([])
    expect(parse(prometheus)).toHaveProperty('alerting.alertmanagers')
    const { route, receivers, inhibit_rules } = parse(alertmanager)
    const names = receivers.map(({ name }: { name: string }) => name)
    for (const { receiver } of [route, ...route.routes]) expect(names).toContain(receiver)
    const alarms = readAlarmRules().map(({ alert }) => alert)
    const named = JSON.stringify(inhibit_rules).match(/Coordinator\w+/g) ?? []
    expect(named).toHaveLength(5)
    for (const alarm of named) expect(alarms).toContain(alarm)
  })

  it('has queries, and names metrics, that a coordinator answers', async () => {
    const known = await knownMetrics()
    const named = [...page.matchAll(/`(coordinator_[^`]+)`/g)].map(([, query = '']) => query)
    const queries = [...blocks('promql'), ...named]
    expect(queries).toHaveLength(7)
    for (const query of queries) expect([query, promqlFaults(query, known)]).toEqual([query, []])
  })

  it('names all files of Prometheus and Grafana, and only what exists', () => {
    const files = [...page.matchAll(/`(deploy\/[^`]+)`/g)].map(([, file = '']) => file)
    expect(files).toEqual(expect.arrayContaining(globSync('deploy/{prometheus,grafana}/*')))
    expect(files.filter((file) => !existsSync(file))).toEqual([])
  })
})
