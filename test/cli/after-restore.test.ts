import { copyFile, readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ask, registration, runCoordinator, scratchFolder, serving } from '../main/coordinator-process.ts'
import { PostgresServer } from '../support/postgres.ts'

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
      .poll(async () => (await ask(`${coordinator.url}/health`)).body, { timeout: 10_000 })
      .toMatchObject({ status: 'ok', lineage: JSON.parse(stdout).lineage, revision: 1 })
    expect((await ask(`${coordinator.url}/register`, 'POST', registration('kept'))).body.changed).toBe(false)
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
})
