import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, vi } from 'vitest'
import { makeBaseImage } from '../../scripts/container/base-image.ts'
import { ContainerEngine } from '../../scripts/container/engine.ts'
import { makePostgresImage } from '../../scripts/container/postgres-image.ts'
import { ask, registration } from '../main/coordinator-process.ts'
import { freePort } from '../support/free-port.ts'
import { itUnless } from '../support/it-with.ts'
import { reasonForNoContainers } from './engine-here.ts'
import { commandsOf, copyCheckout, type GuideRun, runBlock } from './run-guide.ts'

const reason = reasonForNoContainers()
const itHere = itUnless(reason)
/** A busy machine takes many seconds for each start of a container. */
const itRuns = (title: string, body: () => Promise<void>) => itHere(title, body, 600_000)
const patience = { timeout: 120_000, interval: 250 }
const image = 'coordinator:local'
const base = 'docker.io/library/node:24-bookworm-slim'
const hardened = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--memory=200m']
const guide = commandsOf('docs/container.md')
/** The sections whose commands have run. */
const ran = new Set<string>()

let engine: ContainerEngine
let guideRun: GuideRun

beforeAll(async () => {
  if (reason !== undefined) return
  engine = new ContainerEngine()
  await makeBaseImage(engine, base)
  await makePostgresImage(engine, base, 'docker.io/library/postgres:18-bookworm')
  guideRun = { folder: join(engine.folder, 'checkout'), port: await freePort(), env: engine.env }
  mkdirSync(guideRun.folder)
  copyCheckout(guideRun.folder, guideRun.port)
  await runSection('Build the image')
}, 900_000)

afterAll(() => engine?.dispose(), 120_000)

/** @returns what each block of the section wrote */
async function runSection(title: string): Promise<string[]> {
  const blocks = guide.get(title) ?? []
  expect(blocks.length, title).toBeGreaterThan(0)
  ran.add(title)
  const written: string[] = []
  for (const block of blocks) written.push(await runBlock(block, guideRun))
  return written
}

/** Starts a container with a port of its own. @returns where it serves */
async function start(name: string, options: readonly string[]): Promise<string> {
  const publish = ['--detach', '--name', name, '--publish', '127.0.0.1::3000']
  await engine.podman(['run', ...publish, ...options, image])
  return served(name)
}

async function served(name: string): Promise<string> {
  const url = `http://${await engine.podman(['port', name, '3000'])}`
  await vi.waitFor(async () => expect((await ask(`${url}/health/ready`)).status).toBe(200), patience)
  return url
}

async function inspect(name: string, what: string): Promise<string> {
  return engine.podman(['inspect', '--format', `{{${what}}}`, name])
}

async function status(name: string): Promise<string> {
  return readFileSync(`/proc/${await inspect(name, '.State.Pid')}/status`, 'utf8')
}

async function isHealthy(name: string): Promise<boolean> {
  return engine.podman(['healthcheck', 'run', name]).then(
    () => true,
    () => false,
  )
}

const sqlite = ['--env', 'AUTH=off', '--env', 'DATABASE_URL=sqlite:coordinator.db']

describe('the image', () => {
  itRuns('serves as user 1000, with a read-only root, without a capability, in 200 MB', async () => {
    const url = await start('hardened', [...hardened, ...sqlite, '--volume', 'hardened:/data'])
    expect((await ask(url, 'GET')).status).toBe(200)
    expect((await ask(`${url}/register`, 'POST', registration('test'))).status).toBe(201)
    const shown = await status('hardened')
    expect(shown).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m)
    expect(shown).toMatch(/^CapEff:\t0+$/m)
    expect(shown).toMatch(/^NoNewPrivs:\t1$/m)
    const touched = engine.podman(['exec', 'hardened', 'touch', '/app/file'])
    await expect(touched).rejects.toThrow('Read-only file system')
    console.info(`memory at rest, with SQLite: ${/VmRSS:\s+(.*)/.exec(shown)?.[1]}`)
  })

  itRuns('ends with 0 at SIGTERM, and has its services and revision after a restart', async () => {
    const options = [...hardened, ...sqlite, '--volume', 'kept:/data']
    const url = await start('kept', options)
    const { body: first } = await ask(`${url}/register`, 'POST', registration('test'))
    const started = performance.now()
    await engine.podman(['stop', '--time', '30', 'kept'])
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(await inspect('kept', '.State.ExitCode')).toBe('0')
    await engine.podman(['rm', 'kept'])

    const { body: second } = await ask(
      `${await start('kept', options)}/register`,
      'POST',
      registration('test'),
    )
    expect(second).toMatchObject({ serviceId: first.serviceId, revision: first.revision, changed: false })
  })

  itRuns('has its services after a kill', async () => {
    const options = [...sqlite, '--volume', 'killed:/data']
    const url = await start('killed', options)
    const { body } = await ask(`${url}/register`, 'POST', registration('test'))
    await engine.podman(['kill', '--signal', 'KILL', 'killed'])
    await engine.podman(['wait', 'killed'])
    await engine.podman(['start', 'killed'])
    const again = await ask(`${await served('killed')}/register`, 'POST', registration('test'))
    expect(again.body).toMatchObject({ revision: body.revision, changed: false })
  })

  itRuns('is healthy while it answers, also without its database, and unhealthy when it hangs', async () => {
    const url = await start('healthy', [...hardened, ...sqlite, '--volume', 'healthy:/data'])
    expect(await isHealthy('healthy')).toBe(true)
    const pid = Number(await inspect('healthy', '.State.Pid'))
    process.kill(pid, 'SIGSTOP')
    expect(await isHealthy('healthy')).toBe(false)
    process.kill(pid, 'SIGCONT')
    await vi.waitFor(async () => expect((await ask(`${url}/health/live`)).status).toBe(200), patience)

    const away = ['--env', 'AUTH=off', '--env', 'DATABASE_URL=postgres://nobody@192.0.2.1/none']
    await engine.podman(['run', '--detach', '--name', 'away', ...away, image])
    await vi.waitFor(async () => expect(await isHealthy('away')).toBe(true), patience)
    expect(await engine.podman(['exec', 'away', 'node', '-e', ready])).toBe('503')
  })

  itRuns('ends a command at SIGTERM, which process 1 would ignore without a handler', async () => {
    // It accepts connections, and never answers.
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const command = ['services', '--url', `http://127.0.0.1:${port}`]
    const asked = once(silent, 'connection')
    await engine.podman(['run', '--detach', '--name', 'command', '--network', 'host', image, ...command])
    await asked
    await engine.podman(['stop', '--time', '30', 'command'])
    silent.close()
    expect(await inspect('command', '.State.ExitCode')).toBe('143')
  })

  itRuns('does not start before somebody says who may use it', async () => {
    await expect(engine.podman(['run', '--rm', image])).rejects.toThrow(/ended with 78:[\s\S]*AUTH/)
  })

  itRuns('adds less than 60 MB to Node.js, and nothing of the checkout but the program', async () => {
    const [whole, node] = await Promise.all([image, base].map((name) => inspect(name, '.Size')))
    const [added, all] = [Number(whole) - Number(node), Number(whole)].map((bytes) => Math.round(bytes / 1e6))
    console.info(`size: ${added} MB beside Node.js, ${all} MB with the Node.js and Debian of this machine`)
    expect(added).toBeLessThan(60)
    const list =
      'ls -A /app /app/deploy /data /backup; ls /app/node_modules | grep -E "^(typescript|vite)"; ls -d /root/.npm'
    const listed = await engine.podman(['run', '--rm', '--entrypoint', 'sh', image, '-c', `${list} || true`])
    expect(listed.split(/\s+/).toSorted()).toEqual(
      [
        ...['/app/deploy:', '/app:', '/backup:', '/data:', 'LICENSE', 'bin', 'deploy', 'dist'],
        ...['health-check.js', 'node_modules', 'package.json'],
      ].toSorted(),
    )
  })
})

const ready = "fetch('http://localhost:3000/health/ready').then(({ status }) => console.log(status))"

describe('docs/container.md', () => {
  itRuns('has commands that work, one after the other', async () => {
    await runSection('Make the secret of the administrator')
    const sqliteWrote = await runSection('SQLite in a volume')
    expect(sqliteWrote[1]).toContain('"storage":{"backend":"sqlite","durable":true}')
    expect(sqliteWrote[2]).toMatch(/^test +1\.0\.0 /m)
    const [list, restored] = await runSection('Backups')
    expect(list).toContain('  0 to 1  ')
    expect(restored).toContain('sqlite')
    const postgresWrote = await runSection('PostgreSQL with Docker Compose')
    expect(postgresWrote.at(-1)).toMatch(/^health +ok/m)
    for (const title of ['Tokens for clients', 'Logs', 'Upgrades']) await runSection(title)
    expect(readFileSync(join(guideRun.folder, 'cart.token'), 'utf8')).toMatch(/^cdt_\w+$/m)
    const untried = [...guide].filter(([title, blocks]) => blocks.length > 0 && !ran.has(title))
    expect(untried).toEqual([])
  })
})

describe('docs/supabase-container.md', () => {
  itRuns('has commands that start a coordinator, which waits for its project', async () => {
    await engine.podman(['rm', '--all', '--force', '--time', '1'])
    // A name that has no address, wherever the test runs.
    const blocks = [...commandsOf('docs/supabase-container.md').values()]
      .flat()
      .map((block) => block.replaceAll('.supabase.co', '.supabase.invalid'))
    for (const block of blocks) await runBlock(block, guideRun)
    const logged = () => engine.podman(['logs', 'coordinator'])
    await vi.waitFor(async () => expect(await logged()).toContain('ENOTFOUND'), patience)
    expect(await logged()).toContain('"access":"required"')
    expect(await isHealthy('coordinator')).toBe(true)
  })
})
