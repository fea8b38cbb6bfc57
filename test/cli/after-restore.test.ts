import { copyFile, readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ask, registration, runCoordinator, scratchFolder, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { runInProcess } from './run-in-process.ts'

describe('coordinator after-restore', () => {
  it('on SQLite: the copy goes on in a new lineage, and who carries the old one is told', async () => {
    await using folder = await scratchFolder()
    const [file, backup] = [`${folder.path}/coordinator.db`, `${folder.path}/backup.db`]
    const env = { DATABASE_URL: `sqlite:${file}` }
    const first = await serving({ env })
    const { body: kept } = await ask(`${first.url}/register`, 'POST', registration('kept'))
    await first.stop()
    await copyFile(file, backup)
    const second = await serving({ env })
    const lost = await ask(`${second.url}/register`, 'POST', registration('lost'))
    const lineage = lost.headers.get('x-coordinator-lineage') as string
    await second.stop()
    await copyFile(backup, file)

    const { code, stdout } = await runCoordinator(['after-restore', '--json'], { env })
    const report = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(report).toMatchObject({ previous: lineage, revision: kept.revision })
    expect(report.lineage).not.toBe(lineage)

    await using third = await serving({ env })
    const other = await ask(`${third.url}/register`, 'POST', registration('other'))
    // The revision of what was lost, and another content: only the lineage tells them apart.
    expect(other.body.revision).toBe(lost.body.revision)
    expect(other.headers.get('x-coordinator-lineage')).toBe(report.lineage)
    const asked = await fetch(`${third.url}/services`, { headers: { 'x-coordinator-lineage': lineage } })
    expect(await asked.json()).toMatchObject({ status: 412, code: 'COORD_LINEAGE_CHANGED' })
    const { body } = await ask(`${third.url}/services`)
    expect(body.services.map(({ serviceName }: { serviceName: string }) => serviceName)).toEqual([
      'kept',
      'other',
    ])
  })

  it('on PostgreSQL: coordinators that are running follow into the new lineage', async () => {
    await using server = await PostgresServer.start()
    const env = { DATABASE_URL: server.url() }
    await using coordinator = await serving({ env })
    await ask(`${coordinator.url}/register`, 'POST', registration('kept'))
    const { code, stdout } = await runCoordinator(['after-restore', '--json'], { env })
    expect(code).toBe(0)
    await expect
      .poll(async () => (await ask(`${coordinator.url}/health`)).body)
      .toMatchObject({ status: 'ok', lineage: JSON.parse(stdout).lineage, revision: 1 })
    expect((await ask(`${coordinator.url}/register`, 'POST', registration('kept'))).body.changed).toBe(false)
  })

  it('recommends AUTH_NOT_BEFORE if the backup may have brought tokens back, and with that value they are refused', async () => {
    await using folder = await scratchFolder()
    const [file, backup] = [`${folder.path}/coordinator.db`, `${folder.path}/backup.db`]
    const env = { DATABASE_URL: `sqlite:${file}`, AUTH: 'required', AUTH_ADMIN_TOKEN: 'x'.repeat(40) }
    const as = (url: string, token: string) => ({ COORDINATOR_URL: url, COORDINATOR_TOKEN: token })
    const first = await serving({ env })
    const admin = as(first.url, env.AUTH_ADMIN_TOKEN)
    const created = await runInProcess(['token', 'create', 'ci', '--scope', 'read'], { env: admin })
    const token = created.stdout.trim()
    await first.stop()
    await copyFile(file, backup)
    const second = await serving({ env })
    const url = { ...admin, COORDINATOR_URL: second.url }
    expect((await runInProcess(['token', 'revoke', 'ci'], { env: url })).code).toBe(0)
    await second.stop()
    await copyFile(backup, file)

    const advised = await runCoordinator(['after-restore'], { env })
    expect(advised.code).toBe(0)
    expect(advised.stderr).toContain('The database has 1 active token.')
    const { stdout } = await runCoordinator(['after-restore', '--json'], { env })
    const { activeTokens, authNotBefore } = JSON.parse(stdout)
    expect(activeTokens).toBe(1)
    expect(advised.stderr).toMatch(/AUTH_NOT_BEFORE=\d{4}-\S+Z and an AUTH_ADMIN_TOKEN/)

    await using third = await serving({ env: { ...env, AUTH_NOT_BEFORE: authNotBefore } })
    const refused = await runInProcess(['services'], { env: as(third.url, token) })
    expect([refused.code, refused.stderr]).toEqual([
      77,
      expect.stringContaining('[COORD_CREDENTIAL_REVOKED]'),
    ])
    const again = { env: as(third.url, env.AUTH_ADMIN_TOKEN) }
    const other = await runInProcess(['token', 'create', 'ci-2', '--scope', 'read'], again)
    expect((await runInProcess(['services'], { env: as(third.url, other.stdout) })).code).toBe(0)
  })

  it('says nothing of tokens where there are none', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    await runCoordinator(['migrate'], { env })
    const { stdout, stderr } = await runCoordinator(['after-restore', '--json'], { env })
    expect(JSON.parse(stdout)).toMatchObject({ activeTokens: 0 })
    expect(stdout + stderr).not.toMatch(/notBefore|NOT_BEFORE/)
  })

  it('says what it did in one line', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    await runCoordinator(['migrate'], { env })
    expect(await runCoordinator(['after-restore'], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^The history continues from revision 0 with the lineage \S+ \(before: \S+\)\.\n$/,
      ),
    })
  })

  it('says that the coordinator which uses the file has to be stopped', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/coordinator.db` }
    await using _coordinator = await serving({ env })
    const { code, stderr } = await runCoordinator(['after-restore'], { env })
    expect(code).toBe(74)
    expect(stderr).toContain(
      'A coordinator uses this file. Stop it, then run the command again. [COORD_STORE_LOCKED]',
    )
  })

  it('makes no database where the path was mistyped, and needs one', async () => {
    await using folder = await scratchFolder()
    const env = { DATABASE_URL: `sqlite:${folder.path}/mistyped.db` }
    expect(await runCoordinator(['after-restore'], { env })).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/COORD_SCHEMA_OLD/),
    })
    expect((await readdir(folder.path)).filter((name) => name.endsWith('.db'))).toEqual([])
    expect(await runCoordinator(['after-restore'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/DATABASE_URL/),
    })
  })

  it('mends the head of data that was restored without it, which doctor names; writes work after', async () => {
    await using server = await PostgresServer.start({ config: { fsync: 'on' } })
    const env = { DATABASE_URL: server.url() }
    await using before = await serving({ env })
    const names = Array.from({ length: 20 }, (_, n) => `kept-${String(n).padStart(2, '0')}`)
    for (const name of names) await ask(`${before.url}/register`, 'POST', registration(name))
    const { lineage } = (await ask(`${before.url}/database`)).body
    const tables = ['records', 'tombstones', 'journal', 'unchanged', 'writers', 'access_tokens']
    const each = (sql: (table: string) => string) => tables.map(sql).join(';')
    await server.query(`create schema dump; ${each((t) => `create table dump.${t} as table coordinator.${t}`)};
      drop schema coordinator cascade`)
    expect((await runCoordinator(['migrate'], { env })).code).toBe(0)
    await server.query(`begin; set local session_replication_role = replica;
      ${each((t) => `insert into coordinator.${t} select * from dump.${t}`)}; commit`)

    const found =
      'The head is at revision 0, which does not match the journal: the journal ends at revision 20.'
    const doctor = await runInProcess(['doctor'], { env })
    expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining(found) })
    expect(doctor.stdout).toContain('Run `coordinator after-restore`.')
    expect(await runCoordinator(['serve', '--port', '0'], { env })).toMatchObject({
      code: 74,
      stderr: expect.stringContaining('COORD_STORE_DAMAGED'),
    })
    const storage = async ({ url }: { url: string }) => (await ask(`${url}/health`)).body.storage
    await expect.poll(() => storage(before)).toMatchObject({ code: 'COORD_STORE_DAMAGED' })
    expect((await ask(`${before.url}/services`)).body.total).toBe(20)

    const mended = await runCoordinator(['restored', '--json'], { env })
    expect(mended.code).toBe(0)
    expect(JSON.parse(mended.stdout)).toMatchObject({ mended: true, revision: 20 })
    expect((await runInProcess(['doctor'], { env })).code).toBe(0)
    await using after = await serving({ env })
    expect((await ask(`${after.url}/services`)).body.total).toBe(20)
    expect((await ask(`${after.url}/services?asOf=5`)).body.total).toBe(5)
    const written = await ask(`${after.url}/register`, 'POST', registration('new'))
    expect(written).toMatchObject({ status: 201, body: { revision: 21 } })

    // Nothing proves to the coordinator that kept running that this is its history.
    await expect.poll(() => storage(before)).toMatchObject({ code: 'COORD_STORE_REPLACED' })
    expect((await runCoordinator(['accept-history', lineage], { env })).code).toBe(0)
    await expect.poll(async () => (await ask(`${before.url}/services`)).body.total).toBe(21)
  }, 120_000)
})
