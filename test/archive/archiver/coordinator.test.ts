import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { openDestination } from '../../../src/archive/destination/open-destination.ts'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { renderStatus } from '../../../src/cli/render-status.ts'
import { readSettings } from '../../../src/config/settings.ts'
import { type Coordinator, createCoordinator } from '../../../src/coordinator.ts'
import { createArchiver } from '../../../src/create-archiver.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { Live } from '../../../src/live/live.ts'
import { domain } from '../../../src/registry/registry.ts'
import { createLogger } from '../../../src/telemetry/logging.ts'
import { commitOf, put } from '../../conformance/build.ts'
import { S3Server } from '../../support/s3-server.ts'
import { scrape } from '../../telemetry/scrape.ts'
import { readArchive } from './read-archive.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coordinator-backup-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function withCoordinator(
  env: Record<string, string>,
  body: (coordinator: Coordinator) => Promise<void>,
): Promise<void> {
  const coordinator = await createCoordinator({ port: 0, env })
  await coordinator.start()
  try {
    await body(coordinator)
  } finally {
    await coordinator.stop()
  }
}

async function register({ url }: Coordinator, serviceName: string): Promise<void> {
  const reply = await fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ serviceName, endpoint: 'http://localhost:1', version: '1.0.0' }),
  })
  expect(reply.status).toBe(201)
}

const answerOf = async ({ url }: Coordinator, path: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${url}${path}`)).json()) as Record<string, unknown>

describe('a coordinator with BACKUP_URL', () => {
  it('shows the state of its backups in /health, /database, the status and the metrics, and archives the rest when it stops', async () => {
    const env = { BACKUP_URL: `file://${folder}`, BACKUP_INTERVAL_MS: '100' }
    let lineage = ''
    await withCoordinator({ ...env, BACKUP_INTERVAL_MS: '3600000' }, async (coordinator) => {
      lineage = coordinator.live.view.lineage
      await expect.poll(() => coordinator.archiver?.figures.state).toBe('ok')
      await register(coordinator, 'cart')
      const health = await answerOf(coordinator, '/health')
      expect(health['backup']).toEqual({
        url: `file://${folder}`,
        state: 'ok',
        archivedRevision: 0,
        unarchivedRevisions: 1,
        unarchivedSeconds: expect.any(Number),
        lastSuccessAt: expect.any(String),
        baseAt: expect.any(String),
        gaps: 0,
      })
      const database = await answerOf(coordinator, '/database')
      expect(database['backup']).toMatchObject({ state: 'ok', unarchivedRevisions: 1 })
      const status = renderStatus({ url: coordinator.url, health, database })
      expect(status).toMatch(/\nBackups\n {2}archive +file:\/\/.*\n {2}state +ok, 1 revisions missing\n/)
      const samples = await scrape(coordinator.metrics)
      expect(samples.get('coordinator_backup_unarchived_revisions')).toBe(1)
      expect(samples.get('coordinator_backup_failures_total')).toBe(0)
      expect(samples.get('coordinator_backup_bytes_total')).toBeGreaterThan(0)
      expect(samples.get('coordinator_backup_last_success_timestamp_seconds')).toBeGreaterThan(1.7e9)
    })
    const archive = await readArchive(new FolderDestination({ path: folder }), lineage)
    expect(archive.entries.get(1)?.writes).toMatchObject([{ kind: 'service' }])
  })

  it('that cannot write there serves all the same, and says why', async () => {
    await writeFile(join(folder, 'file'), '')
    const env = { BACKUP_URL: `file://${folder}/file/in-it`, BACKUP_INTERVAL_MS: '100' }
    await withCoordinator(env, async (coordinator) => {
      await register(coordinator, 'cart')
      await expect.poll(() => coordinator.archiver?.figures.state).toBe('failing')
      const health = await answerOf(coordinator, '/health')
      expect(health).toMatchObject({
        status: 'ok',
        backup: { state: 'failing', code: expect.stringMatching(/^COORD_ARCHIVE_/), lastSuccessAt: null },
      })
      const ready = await fetch(`${coordinator.url}/health/ready?for=writes`)
      expect(ready.status).toBe(200)
      const text = renderStatus({ url: coordinator.url, health, database: null })
      expect(text).toMatch(/reason +.* \[COORD_ARCHIVE_/)
    })
  })

  it('archives into a bucket, encrypted, with no name and no key in any file, log or answer', async () => {
    const identity = await generateIdentity()
    const server = await S3Server.start()
    try {
      const env = {
        ...server.env,
        BACKUP_URL: server.url('team/a'),
        BACKUP_INTERVAL_MS: '100',
        BACKUP_RECIPIENTS: await identityToRecipient(identity),
      }
      let lineage = ''
      await withCoordinator(env, async (coordinator) => {
        await expect.poll(() => coordinator.archiver?.figures.state).toBe('ok')
        await register(coordinator, 'canary-service')
        await expect.poll(() => coordinator.archiver?.figures.archivedRevision).toBe(1)
        lineage = coordinator.live.view.lineage
        const answers = [await answerOf(coordinator, '/health'), await answerOf(coordinator, '/database')]
        expect(JSON.stringify(answers)).not.toContain(server.env['AWS_SECRET_ACCESS_KEY'])
        expect(answers[0]).toMatchObject({ backup: { url: 's3://backups/team/a', state: 'ok' } })
      })
      const destination = openDestination({ url: server.url('team/a'), env: server.env })
      const files = await Array.fromAsync(destination.list(''))
      expect(files.map(({ name }) => name.split('/')[1]).sort()).toEqual(['access', 'base', 'log'])
      for (const { name } of files) {
        expect(name).toMatch(/\.age$/)
        const content = Buffer.from(await destination.read(name))
        expect(content.includes('canary-service')).toBe(false)
        expect(content.subarray(0, 21).toString()).toBe('age-encryption.org/v1')
      }
      const log = files.find(({ name }) => name.includes('/log/'))?.name ?? ''
      const page = await readLog({ name: log, content: await destination.read(log) }, [identity])
      expect(page).toMatchObject({ lineage, entries: [{ revision: 1 }] })
      await destination.close()
    } finally {
      await server.close()
    }
  })

  it('with a wrong key for its bucket serves all the same, and shows the key nowhere', async () => {
    const server = await S3Server.start()
    const secret = 'CaNaRySecretKey0123456789'
    try {
      const env = {
        ...server.env,
        BACKUP_URL: server.url(),
        BACKUP_INTERVAL_MS: '100',
        AWS_SECRET_ACCESS_KEY: secret,
      }
      await withCoordinator(env, async (coordinator) => {
        await register(coordinator, 'cart')
        await expect.poll(() => coordinator.archiver?.figures.code).toBe('COORD_ARCHIVE_REFUSED')
        const texts = [
          JSON.stringify(await answerOf(coordinator, '/health')),
          JSON.stringify(await answerOf(coordinator, '/database')),
          await coordinator.metrics.text(),
          inspect(coordinator.archiver, { depth: 8 }),
        ]
        for (const text of texts) expect(text).not.toContain(secret)
      })
    } finally {
      await server.close()
    }
  })

  it('rehearses a restore in another process', async () => {
    const env = { BACKUP_URL: `file://${folder}`, BACKUP_INTERVAL_MS: '100' }
    const settings = readSettings({ ...env, PORT: '0' })
    const live = new Live(new MemoryStore(), domain)
    const archiver = createArchiver(settings, {
      live,
      logger: await createLogger({ level: 'silent' }),
      drillLookMs: 20,
    })
    await live.start()
    archiver?.start()
    try {
      await live.commit(commitOf(put('a', {}, { kind: 'other' })))
      await expect.poll(() => archiver?.figures.drill).toMatchObject({ ok: true, checked: 'contents' })
    } finally {
      await live.stop()
    }
  })

  it('that is not set has no such member', async () => {
    await withCoordinator({}, async (coordinator) => {
      expect(coordinator.archiver).toBeUndefined()
      expect(await answerOf(coordinator, '/health')).not.toHaveProperty('backup')
    })
  })
})
