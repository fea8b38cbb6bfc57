/**
 * Supabase mode on this machine, without an account: PostgreSQL with the roles of a project, the Data API over it, a
 * coordinator that uses it with genuine supabase-js, and a real system registered. Ctrl-C ends it and removes its data.
 *
 * `--once` checks it instead, restart included, and ends with exit code 0 or 1.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Coordinator, createCoordinator } from '../src/coordinator.ts'
import { CoordinatorError } from '../src/errors.ts'
import { createLogger } from '../src/telemetry/logging.ts'
import { SupabaseProject } from '../test/support/supabase.ts'

const system = 'examples/data/opentelemetry-demo.json'
const services = (JSON.parse(readFileSync(system, 'utf8')) as unknown[]).length

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } })

/** A coordinator with the variables that somebody with a project sets. */
async function startCoordinator(project: SupabaseProject, port: string): Promise<Coordinator> {
  const coordinator = await createCoordinator({
    env: variablesOf(project, port),
    logger: await createLogger({ level: 'warn', secrets: [project.keys.secretKey] }),
  })
  await coordinator.start()
  return coordinator
}

function variablesOf({ api, keys }: SupabaseProject, port: string): Record<string, string> {
  return { ...backupVariables(), SUPABASE_URL: api.url, SUPABASE_SECRET_KEY: keys.secretKey, PORT: port }
}

/** With BACKUP_URL, the coordinator of the demo archives, too. */
function backupVariables(): Record<string, string> {
  const backups = Object.entries(process.env).filter(([name]) => /^(?:BACKUP|AWS)_/.test(name))
  return Object.fromEntries(backups) as Record<string, string>
}

/** Registers the system as a user does: `coordinator import FILE`. */
async function importSystem(url: string): Promise<void> {
  const child = spawn(process.execPath, ['bin/coordinator.js', 'import', system], {
    env: { ...process.env, COORDINATOR_URL: url },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`coordinator import ended with exit code ${String(code)}.`)
}

async function countBySql({ server }: SupabaseProject): Promise<number> {
  const [row] = await server.query<{ count: number }>('select count(*)::integer from coordinator.services')
  return row?.count ?? 0
}

async function get(url: string): Promise<{ readonly total: number }> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`)
  return (await response.json()) as { total: number }
}

/** Registers, restarts the coordinator, and looks whether everything is where it should be. */
async function checkOnce(project: SupabaseProject): Promise<void> {
  const first = await startCoordinator(project, '0')
  await importSystem(first.url)
  await first.stop()
  const second = await startCoordinator(project, '0')
  const { total } = await get(`${second.url}/services?metadata.system=opentelemetry-demo&limit=1`)
  await second.stop()
  const inSql = await countBySql(project)
  console.log(`${total} of ${services} services after a restart, ${inSql} rows in coordinator.services`)
  if (total !== services || inSql !== services) throw new Error('Not every service is there.')
}

async function serveUntilSignal(project: SupabaseProject): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), leftByParent()])
  const coordinator = await startCoordinator(project, process.env['PORT'] ?? '3000')
  await importSystem(coordinator.url)
  console.log(await guide(project, coordinator.url))
  await stopped
  console.log('\nstopping')
  await coordinator.stop()
}

/** npm ends at SIGTERM without handing it on: what it started would be left behind, with its port and its server. */
async function leftByParent(): Promise<void> {
  const parent = process.ppid
  while (process.ppid === parent) await pause(500, undefined, { ref: false })
}

async function guide(project: SupabaseProject, url: string): Promise<string> {
  const { api, keys, server } = project
  const dsn = server.url().replace(/\?.*/, '')
  return `
Supabase mode on this machine. Nothing of it outlives this command; Ctrl-C ends it.

  coordinator    ${url}   (${await countBySql(project)} services; pages: /docs, /knowledge-graph, /database)
  Data API       ${api.url}
  secret key     ${keys.secretKey}
  public key     ${keys.publishableKey}
  PostgreSQL     ${dsn}

Try
  curl -s '${url}/services?tag=demo&limit=3'
  curl -s -X POST ${url}/register -H 'content-type: application/json' \\
    -d '{"serviceName":"mine","version":"1.0.0","endpoint":"http://mine:8080"}'
  curl -s '${url}/knowledge-graph/impact?of=service:flagd'
  psql ${dsn} -c 'select service_name, version, endpoint from coordinator.services'

A second coordinator on the same project, which follows the first
  SUPABASE_URL=${api.url} SUPABASE_SECRET_KEY=${keys.secretKey} PORT=3001 npm start

What the public key may do there: nothing
  curl -s -X POST ${api.url}/rest/v1/rpc/coordinator_head -H 'apikey: ${keys.publishableKey}' \\
    -H 'content-type: application/json' -d '{"p":{}}'
`
}

console.log('starting PostgreSQL and the Data API')
const project = await SupabaseProject.start({ config: { fsync: 'on' } })
try {
  await (values.once ? checkOnce(project) : serveUntilSignal(project))
} catch (thrown) {
  const hint = thrown instanceof CoordinatorError ? ` ${thrown.hint}` : ''
  console.error(`demo: ${thrown instanceof Error ? thrown.message : 'it failed'}${hint}`)
  process.exitCode = 1
} finally {
  await project.dispose()
}
