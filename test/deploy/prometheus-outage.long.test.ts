import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { panels } from '../../scripts/generate/dashboard-panels.ts'
import { registration, scratchFolder, serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'
import { PostgresServer } from '../support/postgres.ts'
import { type PrometheusProcess, startPrometheus } from './prometheus-process.ts'
import { quickenedFiles } from './quickened-rules.ts'

const adminToken = 'an-administrator-of-this-test-only'
const metricsToken = 'a-prometheus-of-this-test-only-000'

/** How long the test waits for what must come about. */
const patience = { timeout: 120_000, interval: 500 }

/** What fires while a database is away for a quarter of an hour, with clients that read and write. */
const ofOutage = [
  'CoordinatorCommitsFail',
  'CoordinatorDatabaseErrors',
  'CoordinatorDegraded',
  'CoordinatorServerErrors',
  'CoordinatorViewOld',
]

/** What fires while the only replica is away, and clients ask about the past. */
const ofReplica = ['CoordinatorReplicaDown', 'CoordinatorReplicasUnused']

/** The alarms that a query finds, each with its coordinator. */
async function alarms(prometheus: PrometheusProcess, query: string): Promise<string[]> {
  const found = await prometheus.query(`count by (alertname, instance) (${query})`)
  return found.map(({ labels }) => `${labels['alertname']} ${labels['instance']}`).sort()
}
const firing = (prometheus: PrometheusProcess) => alarms(prometheus, 'ALERTS{alertstate="firing"}')
/** Those that fired at any moment of the test. */
const fired = (prometheus: PrometheusProcess) =>
  alarms(prometheus, 'last_over_time(ALERTS{alertstate="firing"}[1h])')

/** Panels that show nothing as long as nothing is wrong, and no restore was rehearsed. */
const ofTrouble = ['Errors by code', 'Refused', 'Since the last rehearsed restore']

/** The titles of the panels of the dashboard of which a query has no result. */
async function emptyPanels(prometheus: PrometheusProcess): Promise<string[]> {
  const empty = new Set<string>()
  for (const { title, queries } of panels)
    for (const { expr } of queries) {
      const filled = expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance)\b/g, '.+')
      if ((await prometheus.query(filled)).length === 0) empty.add(title)
    }
  return [...empty]
}

/** Clients that read and write until the scope ends. */
function clients(url: string): AsyncDisposable {
  const stop = new AbortController()
  const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
  const loop = async (ask: (at: number) => Promise<Response>) => {
    for (let at = 0; !stop.signal.aborted; at += 1) {
      await (await ask(at)).arrayBuffer()
      await sleep(50)
    }
  }
  const read = () => fetch(`${url}/services`, { headers })
  const readPast = () => fetch(`${url}/services?asOf=1`, { headers })
  const write = (at: number) => {
    const body = JSON.stringify(registration(`cart-${at % 5}`, { version: `1.0.${at}` }))
    return fetch(`${url}/register`, { method: 'POST', headers, body })
  }
  const ended = Promise.all([loop(read), loop(readPast), ...Array.from({ length: 4 }, () => loop(write))])
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

describe('Prometheus with the configuration and the alarms of deploy/prometheus', () => {
  itWith('prometheus')(
    'fills the dashboard, and sees no alarm of healthy coordinators, those of an outage and of a replica that is away, and their end',
    async () => {
      await using database = await PostgresServer.start()
      await using standby = await database.standby()
      await using folder = await scratchFolder()
      const tokenFile = join(folder.path, 'metrics.token')
      await writeFile(tokenFile, `${metricsToken}\n`)
      await using watched = await serving({
        env: {
          DATABASE_URL: database.url(),
          DATABASE_REPLICAS: standby.url(),
          AUTH: 'required',
          AUTH_ADMIN_TOKEN: adminToken,
          AUTH_METRICS_TOKEN_FILE: tokenFile,
        },
      })
      await using other = await serving()
      const [instance, otherInstance] = [new URL(watched.url).host, new URL(other.url).host]
      const files = quickenedFiles(30, { targets: [instance, otherInstance], tokenFile })
      await writeFile(join(folder.path, 'prometheus.yml'), files.config)
      await writeFile(join(folder.path, 'rules.yaml'), files.rules)
      const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data']
      await using prometheus = await startPrometheus(args, folder.path)
      const ofWatched = (alarm: string) => `${alarm} ${instance}`
      const expected = ofOutage.map(ofWatched)
      const withoutReplica = ofReplica.map(ofWatched)
      const down = `CoordinatorDown ${otherInstance}`

      {
        await using _ = clients(watched.url)
        // With the real configuration, this would be a quarter of an hour.
        const scraped = () => prometheus.query('count_over_time(up{job="coordinator"}[1h]) >= 30')
        await expect.poll(async () => (await scraped()).length, patience).toBe(2)
        expect(await prometheus.targets()).toEqual(['up', 'up'])
        expect(await fired(prometheus)).toEqual([])
        expect(await emptyPanels(prometheus)).toEqual(ofTrouble)

        await database.kill()
        await expect.poll(() => firing(prometheus), patience).toEqual(expected)
        const degraded = (await prometheus.alerts()).find(
          ({ labels }) => labels['alertname'] === 'CoordinatorDegraded',
        )
        expect(degraded?.labels['severity']).toBe('page')
        expect(degraded?.annotations['summary']).toContain(instance)
        expect(degraded?.annotations['runbook']).toBe('docs/alarms.md#coordinatordegraded')

        await database.start()
        await expect.poll(() => firing(prometheus), patience).toEqual([])

        await standby.stop()
        await expect.poll(() => firing(prometheus), patience).toEqual(withoutReplica)
        await standby.start()
        await expect.poll(() => firing(prometheus), patience).toEqual([])
      }

      await other.stop()
      await expect.poll(() => firing(prometheus), patience).toEqual([down])
      expect(await fired(prometheus)).toEqual([...expected, ...withoutReplica, down].sort())
    },
    400_000,
  )
})
