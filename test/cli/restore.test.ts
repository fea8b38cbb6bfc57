import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import { archiveOfHistory } from '../archive/restore/archive-of-history.ts'
import { filesIn } from '../archive/restore/written-archive.ts'
import {
  ask,
  CoordinatorProcess,
  registration,
  runCoordinator,
  scratchFolder,
  serving,
} from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { S3Server } from '../support/s3-server.ts'
import { runInProcess } from './run-in-process.ts'

const names = (body: { services: { serviceName: string; version: string }[] }) =>
  body.services.map(({ serviceName, version }) => `${serviceName} ${version}`).sort()

/** Waits until a coordinator has archived everything. */
async function archived(url: string, revision: number) {
  await expect
    .poll(async () => (await ask(`${url}/health`)).body.backup)
    .toMatchObject({ state: 'ok', unarchivedRevisions: 0, archivedRevision: revision })
}

describe('coordinator restore', () => {
  it('brings a lost SQLite file back, with its history, after the coordinator was killed', async () => {
    await using folder = await scratchFolder()
    const file = join(folder.path, 'coordinator.db')
    const env = {
      ...{
        DATABASE_URL: `sqlite:${file}`,
        BACKUP_URL: `file:${folder.path}/backup`,
        BACKUP_INTERVAL_MS: '100',
      },
    }
    const first = await serving({ env })
    const { body: cart } = await ask(`${first.url}/register`, 'POST', registration('cart'))
    await ask(`${first.url}/register`, 'POST', registration('ad'))
    const changed = await ask(`${first.url}/register`, 'POST', registration('cart', { tags: ['shop'] }))
    expect(changed.body).toMatchObject({ serviceId: cart.serviceId, revision: 3 })
    await archived(first.url, 3)
    await first.stop('SIGKILL')
    for (const name of await readdir(folder.path))
      if (name.startsWith('coordinator.db')) await rm(join(folder.path, name))

    const { code, stdout, stderr } = await runCoordinator(['restore'], { env })
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toMatch(/^Restored revision 3 of \S+Z into sqlite .*coordinator\.db\.\n/)
    expect(stdout).toContain('The history of the records is complete.\n')
    expect(stdout).toContain('Next:\n  1. Start the coordinators')
    await using second = await serving({ env })
    expect(names((await ask(`${second.url}/services`)).body)).toEqual(['ad 1.0.0', 'cart 1.0.0'])
    const { body } = await ask(`${second.url}/services/${cart.serviceId}/history`)
    expect(body.entries).toHaveLength(2)
    // The archive goes on with the new history.
    await ask(`${second.url}/register`, 'POST', registration('email'))
    await archived(second.url, 4)
    const { stdout: list } = await runInProcess(['backup', 'list', '--json'], { env })
    const { lineages } = JSON.parse(list)
    expect(lineages).toHaveLength(2)
    expect(lineages[0].ancestors.concat(lineages[1].ancestors)).toHaveLength(1)
  })

  it('goes on after kill -9, wherever that was, and until then the file serves nothing', async () => {
    await using archive = await archiveOfHistory({ bases: [0], services: 6_000 })
    const env = { BACKUP_URL: `file:${archive.path}` }
    await using folder = await scratchFolder()
    const file = join(folder.path, 'new.db')
    const into = { ...env, DATABASE_URL: `sqlite:${file}` }
    const { position: whole } = await archive.store.head()
    let killed = 0
    let isWhole = false
    for (const size of [1, 200_000, 1_000_000, 4_000_000, 8_000_000]) {
      const process = new CoordinatorProcess(['restore', '--history'], { env: into })
      const ended = await Promise.race([process.ended.then(() => true), grown(file, size)])
      process.kill('SIGKILL')
      const { signal } = await process.ended
      if (ended || signal !== 'SIGKILL') break
      killed += 1
      const store = new SqliteStore({ path: file, autoMigrate: true })
      const { mode, position } = await store.open()
      await store.close()
      // The last of them may come when the work is done, and only the process has not ended yet.
      isWhole = mode === 'open' && position.revision === whole.revision
      if (isWhole) break
      expect(mode === 'seeding' || position.revision === 0).toBe(true)
    }
    expect(killed).toBeGreaterThan(1)
    if (!isWhole) {
      const { code, stdout } = await runCoordinator(['restore', '--history', '--json'], { env: into })
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ previous: whole.lineage, revision: whole.revision })
    }
    await using coordinator = await serving({ env: { DATABASE_URL: `sqlite:${file}` } })
    const snapshot = await (await fetch(`${coordinator.url}/snapshot`)).text()
    expect(snapshot.split('\n')[0]).toContain(`"revision":${whole.revision}`)
  })

  it('puts a backup of PostgreSQL into SQLite, and the other way round, from a bucket of S3', async () => {
    await using server = await PostgresServer.start()
    const s3 = await S3Server.start()
    await using folder = await scratchFolder()
    try {
      const backup = { ...s3.env, BACKUP_URL: s3.url('production'), BACKUP_INTERVAL_MS: '100' }
      const postgres = { ...backup, DATABASE_URL: server.url() }
      const first = await serving({ env: postgres })
      await ask(`${first.url}/register`, 'POST', registration('cart'))
      await ask(`${first.url}/register`, 'POST', registration('ad'))
      await archived(first.url, 2)
      await first.stop()

      const sqlite = { ...backup, DATABASE_URL: `sqlite:${folder.path}/new.db` }
      const toSqlite = await runCoordinator(['restore'], { env: sqlite })
      expect({ code: toSqlite.code, stderr: toSqlite.stderr }).toMatchObject({ code: 0 })
      const second = await serving({ env: sqlite })
      expect(names((await ask(`${second.url}/services`)).body)).toEqual(['ad 1.0.0', 'cart 1.0.0'])
      await ask(`${second.url}/register`, 'POST', registration('email'))
      await archived(second.url, 3)
      await second.stop()

      // The old database is still there. Another schema of the same server is empty.
      const full = await runCoordinator(['restore'], { env: postgres })
      expect([full.code, full.stderr]).toEqual([78, expect.stringContaining('[COORD_STORE_NOT_EMPTY]')])
      const other = { ...postgres, DATABASE_SCHEMA: 'restored' }
      expect((await runCoordinator(['restore'], { env: other })).code).toBe(0)
      await using third = await serving({ env: other })
      expect(names((await ask(`${third.url}/services`)).body)).toEqual([
        'ad 1.0.0',
        'cart 1.0.0',
        'email 1.0.0',
      ])
      expect(full.stdout + full.stderr).not.toContain(s3.env['AWS_SECRET_ACCESS_KEY'])
    } finally {
      await s3.close()
    }
  })

  it('with --only puts a service back into a database in use, which its coordinator notices', async () => {
    await using server = await PostgresServer.start()
    await using folder = await scratchFolder()
    const env = { BACKUP_URL: `file:${folder.path}`, BACKUP_INTERVAL_MS: '100', DATABASE_URL: server.url() }
    await using coordinator = await serving({ env })
    const { body: cart } = await ask(`${coordinator.url}/register`, 'POST', registration('cart'))
    await ask(`${coordinator.url}/register`, 'POST', registration('ad'))
    await ask(`${coordinator.url}/services/${cart.serviceId}`, 'DELETE')
    await archived(coordinator.url, 3)
    const args = ['restore', '--only', 'service:cart', '--revision', '2']

    const rehearsed = await runCoordinator([...args, '--dry-run'], { env })
    expect(rehearsed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^\+ {2}service {2}cart {2}as of revision 1 {2}does not exist now\nWould put back 1 record .*Nothing was written\.\n$/,
      ),
    })
    expect((await ask(`${coordinator.url}/services/${cart.serviceId}`)).status).toBe(404)
    const done = await runCoordinator([...args, '--json'], { env })
    expect(JSON.parse(done.stdout)).toMatchObject({
      ...{ revision: 2, dryRun: false },
      records: [{ kind: 'service', id: cart.serviceId, name: 'cart', change: 'create', presentRevision: 0 }],
    })
    await expect
      .poll(async () => (await ask(`${coordinator.url}/services/${cart.serviceId}`)).status)
      .toBe(200)
    const { stdout } = await runInProcess(['changes', '--last', '1', '--json', '--url', coordinator.url])
    expect(stdout).toMatch(/"actor":"[^"]*restore"/)
  })

  it('with --only and --file writes what coordinator import takes', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    await using folder = await scratchFolder()
    const env = { BACKUP_URL: `file:${archive.path}` }
    const file = join(folder.path, 'part.jsonl')
    const args = ['restore', '--only', 'service:s3', '--only', 'service:s6', '--file', file]
    expect(await runInProcess(args, { env })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(file),
    })
    const [head, ...records] = (await readFile(file, 'utf8')).trimEnd().split('\n')
    expect(JSON.parse(head ?? '')).toMatchObject({ position: { revision: 48 }, records: 2 })
    expect(records.map((line) => JSON.parse(line).id).sort()).toEqual(['s3', 's6'])
  })
})

describe('coordinator restore, used wrongly', () => {
  it.each([
    [['restore'], {}, 2, 'No archive is named.'],
    [['restore', '--from', 's3://key:secret@bucket/x'], {}, 2, '--from must be'],
    [['restore', '--from', 'file:./none', '--at', 'yesterday'], {}, 2, 'a time with a zone'],
    [
      ['restore', '--from', 'file:./none', '--revision', '1', '--at', '2026-01-01T00:00Z'],
      {},
      2,
      'cannot be used',
    ],
    [['restore', '--from', 'file:./none', '--file', 'x'], {}, 2, '--file belongs to --only.'],
    [['restore', '--from', 'file:./none'], {}, 2, 'No database is set'],
    [['restore', '--from', 'file:./none', '--only', 'cart'], {}, 2, 'One of the parts is none.'],
    [['restore', '--env-file', './none.env'], {}, 74, 'none.env cannot be read (ENOENT)'],
    [['restore', '--from', 'file:./none', '--dry-run'], {}, 1, 'The archive has no files. Check the folder'],
  ])('%j says what is wrong', async (args, env, code, text) => {
    const ran = await runInProcess(args, { env })
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: expect.stringContaining(text) })
    expect(ran.stderr).not.toContain('secret')
  })

  it('warns that the archive ends before the time that is meant, and not otherwise', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const env = { BACKUP_URL: `file:${archive.path}` }
    const late = await runInProcess(['restore', '--dry-run', '--at', '2999-01-01T00:00:00Z'], { env })
    expect(late.stdout).toContain('Would restore revision 48 of the history ')
    expect(late.stderr).toMatch(/\nwarning: the archive ends at revision 48, of \S+Z\. If more was written /)
    const list = await runInProcess(['backup', 'list', '--json'], { env })
    const { at } = JSON.parse(list.stdout).lineages[0].moments[0].to
    const exact = await runInProcess(['restore', '--dry-run', '--at', at], { env })
    expect(exact).toMatchObject({ code: 0, stderr: expect.not.stringContaining('warning') })
  })

  it('begins at the oldest base with --history, and otherwise at the newest', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const args = ['restore', '--from', `file://${archive.path}`, '--dry-run', '--json']
    for (const [more, baseRevision] of [[['--history'], 0] as const, [[], 20] as const]) {
      const { code, stdout } = await runCoordinator([...args, ...more])
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, baseRevision, revision: 48 })
    }
  })

  it('demands a lineage where the archive has several histories', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    await using other = await archiveOfHistory({ bases: [0] })
    for (const { name } of await filesIn(other.destination))
      await archive.destination.write(name, await other.destination.read(name))
    const env = { BACKUP_URL: `file:${archive.path}` }
    const { code, stderr } = await runInProcess(['restore', '--dry-run'], { env })
    const { lineage } = (await archive.store.head()).position
    expect([code, stderr]).toEqual([78, expect.stringContaining(lineage)])
    const chosen = await runInProcess(['restore', '--dry-run', '--lineage', lineage, '--json'], { env })
    expect(JSON.parse(chosen.stdout)).toMatchObject({ dryRun: true, lineage, revision: 48, baseRevision: 0 })
  })

  it('does without a damaged base where an older one and the log lead to the same revision', async () => {
    await using archive = await archiveOfHistory({ bases: [0, 20] })
    const [base] = await filesIn(archive.destination, /base\/0{14}20-/)
    const name = base?.name ?? ''
    await writeFile(join(archive.path, name), 'damaged')
    await using folder = await scratchFolder()
    const env = { BACKUP_URL: `file:${archive.path}`, DATABASE_URL: `sqlite:${folder.path}/new.db` }
    const refused = await runInProcess(['restore'], { env })
    expect(refused).toMatchObject({ code: 74, stderr: expect.stringContaining('--without') })
    expect(refused.stderr).toContain(name)
    const mistyped = await runInProcess(['restore', '--without', `${name}x`], { env })
    expect(mistyped).toMatchObject({ code: 2, stderr: expect.stringContaining('The archive has no file') })
    const done = await runInProcess(['restore', '--without', name, '--json'], { env })
    expect(JSON.parse(done.stdout)).toMatchObject({ revision: 48, floor: 0 })
  })

  it('takes the database of --env-file alone', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    await using folder = await scratchFolder()
    const envFile = join(folder.path, 'new.env')
    await writeFile(envFile, `DATABASE_URL=sqlite:${folder.path}/new.db\nBACKUP_URL=file:${archive.path}\n`)
    // Both settings together would be refused.
    const env = { SUPABASE_URL: 'https://old.supabase.co', SUPABASE_SECRET_KEY: 'sb_secret_old' }
    const { code, stderr } = await runInProcess(['restore', '--env-file', envFile], { env })
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('new.db') })
    expect((await stat(join(folder.path, 'new.db'))).size).toBeGreaterThan(0)
  })

  it('restores the state before a commit', async () => {
    await using archive = await archiveOfHistory({ bases: [0] })
    const { entries } = await archive.store.history('service', 's3', { limit: 1 })
    const [last] = entries
    const env = { BACKUP_URL: `file:${archive.path}` }
    const args = ['restore', '--dry-run', '--json', '--before', last?.commitId ?? '']
    const { stdout } = await runInProcess(args, { env })
    expect(JSON.parse(stdout).revision).toBe((last?.revision ?? 0) - 1)
  })
})

/** Waits until a file, with its journal, has a size in bytes. @returns `false` */
async function grown(file: string, size: number): Promise<false> {
  for (;;) {
    const sizes = await Promise.all(
      [file, `${file}-wal`].map((path) =>
        stat(path).then(
          (stats) => stats.size,
          () => 0,
        ),
      ),
    )
    if (sizes.reduce((sum, each) => sum + each, 0) >= size) return false
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
