import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import type { StoreMode } from '../../src/database/store.ts'
import { fill } from '../archive/move/random-source.ts'
import { ask, CoordinatorProcess, registration, scratchFolder, serving } from '../main/coordinator-process.ts'
import { runInProcess } from './run-in-process.ts'

interface Files extends AsyncDisposable {
  readonly env: (name: string) => { readonly DATABASE_URL: string }
  /** Runs a command with both files of settings. */
  run(command: 'copy' | 'cutover', ...more: readonly string[]): ReturnType<typeof runInProcess>
  back(command: 'copy' | 'cutover', ...more: readonly string[]): ReturnType<typeof runInProcess>
  readonly options: readonly string[]
  store(name: string): SqliteStore
  modeOf(name: string): Promise<StoreMode>
}

/** Two SQLite files with their settings; the old one has a history. */
async function twoFiles(): Promise<Files> {
  const folder = await scratchFolder()
  const path = (name: string) => `${folder.path}/${name}`
  const env = (name: string) => ({ DATABASE_URL: `sqlite:${path(`${name}.db`)}` })
  for (const name of ['old', 'new'])
    await writeFile(path(`${name}.env`), `DATABASE_URL=${env(name).DATABASE_URL}\n`)
  const store = (name: string) => new SqliteStore({ path: path(`${name}.db`) })
  const old = store('old')
  await fill(old)
  await old.close()
  const between = (from: string, to: string, rest: readonly string[]) =>
    runInProcess([...rest, '--from', path(`${from}.env`), '--to', path(`${to}.env`)])
  return {
    env,
    store,
    options: ['--from', path('old.env'), '--to', path('new.env')],
    run: (...rest) => between('old', 'new', rest),
    back: (...rest) => between('new', 'old', rest),
    async modeOf(name) {
      const opened = store(name)
      const { mode } = await opened.open()
      await opened.close()
      return mode
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

describe('coordinator copy and coordinator cutover', () => {
  it('move a history, and print what comes next', async () => {
    await using files = await twoFiles()
    const copied = await files.run('copy')
    expect(copied).toMatchObject({ code: 0, stdout: expect.stringContaining('from revision 20 to') })
    expect(copied.stderr).toMatch(/^from: sqlite .*old\.db\nto: sqlite .*new\.db\n/)
    expect(JSON.parse((await files.run('copy', '--json')).stdout)).toMatchObject({
      ended: 'complete',
      seeded: false,
      floor: 20,
      tokens: 2,
    })
    const moved = await files.run('cutover')
    expect(moved).toMatchObject({ code: 0, stdout: expect.stringContaining('new.db takes writes') })
    expect(moved.stdout).toContain('--from ')
    expect((await files.run('cutover')).stdout).toMatch(
      /^The cutover was done before: sqlite .*new\.db takes writes, with the history \S+, and is at revision \d+\.\n/,
    )
    expect(await Promise.all(['old', 'new'].map(files.modeOf))).toEqual(['frozen', 'open'])
    // The coordinator of the new database goes on with the same history; that of the old one only reads.
    await using now = await serving({ env: files.env('new') })
    expect((await ask(`${now.url}/register`, 'POST', registration('next'))).body).toMatchObject({
      success: true,
    })
    await using before = await serving({ env: files.env('old') })
    const refused = await ask(`${before.url}/register`, 'POST', registration('next'))
    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'COORD_STORE_FROZEN', outcome: 'not_written' },
    })
    expect(refused.headers.get('retry-after')).toBe('2')
    const [ours, theirs] = [await ask(`${now.url}/health`), await ask(`${before.url}/health`)]
    expect(theirs.body).toMatchObject({ status: 'frozen', lineage: ours.body.lineage })
    const status = await runInProcess(['status', '--url', before.url])
    expect(status).toMatchObject({ code: 1, stdout: expect.stringMatching(/state +frozen, since/) })
    expect((await ask(`${before.url}/database`)).body).toMatchObject({ mode: 'frozen', status: 'frozen' })
    const metrics = await (await fetch(`${before.url}/metrics`)).text()
    expect(metrics).toMatch(/coordinator_database_status\{[^}]*status="frozen"[^}]*\} 1/)
  })

  it('can be run again, undone as long as the new database takes no writes, and turned back afterwards', async () => {
    await using files = await twoFiles()
    await files.run('copy')
    expect((await files.run('cutover', '--abort')).stdout).toContain('Nothing was changed')
    const old = files.store('old')
    await old.open()
    await old.setMode('open', 'frozen')
    await old.close()
    const aborted = await files.run('cutover', '--abort', '--json')
    expect(JSON.parse(aborted.stdout)).toMatchObject({ opened: true, forked: false })
    expect(await Promise.all(['old', 'new'].map(files.modeOf))).toEqual(['open', 'seeding'])
    expect(await files.run('cutover')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Run `coordinator copy` .*\[COORD_STORE_MODE\]/),
    })
    await files.run('copy')
    expect((await files.run('cutover')).code).toBe(0)
    expect((await files.run('cutover')).code).toBe(0)
    expect(await files.run('cutover', '--abort')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('exchanged'),
    })
    expect((await files.back('cutover')).code).toBe(0)
    expect(await Promise.all(['old', 'new'].map(files.modeOf))).toEqual(['open', 'frozen'])
  })

  it('follow until Ctrl-C, and let the copy go on later', async () => {
    await using files = await twoFiles()
    const following = new CoordinatorProcess(['copy', '--follow', ...files.options, '--json'])
    await following.wrote(/following: at revision/)
    const { code, stdout } = await following.stop('SIGINT')
    expect({ code, report: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      report: { ended: 'interrupted', floor: 20 },
    })
    expect((await files.run('cutover')).code).toBe(0)
  })

  it('refuse memory, one database twice, a file that is not there, and a database that is used', async () => {
    await using files = await twoFiles()
    const { DATABASE_URL } = files.env('old')
    const folder = DATABASE_URL.slice('sqlite:'.length, -'/old.db'.length)
    await writeFile(`${folder}/memory.env`, 'DATABASE_URL=memory:\n')
    const copy = (from: string, to: string) =>
      runInProcess(['copy', '--from', `${folder}/${from}.env`, '--to', `${folder}/${to}.env`])
    for (const [from, to] of [
      ['memory', 'new'],
      ['old', 'memory'],
      ['old', 'old'],
    ] as const)
      expect(await copy(from, to)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('COORD_CLI_USAGE'),
      })
    expect(await copy('old', 'absent')).toMatchObject({ stderr: expect.stringContaining('COORD_CLI_FILE') })
    await using _coordinator = await serving({ env: files.env('old') })
    expect(await copy('old', 'new')).toMatchObject({
      stderr: expect.stringMatching(/Stop the other coordinator|Stop it/),
    })
  })
})
