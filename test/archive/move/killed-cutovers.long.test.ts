import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { abortCutover } from '../../../src/archive/move/abort-cutover.ts'
import { copyStore } from '../../../src/archive/move/copy-store.ts'
import { type CutoverReport, cutover } from '../../../src/archive/move/cutover.ts'
import { PostgresStore } from '../../../src/database/postgres/store.ts'
import { put } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { CoordinatorProcess, runCoordinator, scratchFolder } from '../../main/coordinator-process.ts'
import { storeOptions } from '../../support/backends/postgres.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { type Ground, runCutovers } from './cutover-run.ts'
import { dying, Fate, Killed } from './dying-store.ts'
import { moving } from './moving.ts'
import { expectSame, fill } from './random-source.ts'

function schemaOf(server: PostgresServer, name: string): Ground {
  return {
    name,
    isShared: true,
    makeStore: () => new PostgresStore(storeOptions(server, { schema: name })),
    env: { DATABASE_URL: server.url(), DATABASE_SCHEMA: name },
  }
}

describe('a cutover between two schemas of PostgreSQL', () => {
  it('that ends at any call goes on, or is undone, and both never take writes', async () => {
    await using server = await PostgresServer.start()
    let [from, to] = ['one', 'two'].map((name) => schemaOf(server, name).makeStore()) as [
      PostgresStore,
      PostgresStore,
    ]
    await fill(from)
    await to.open()
    await copyStore(moving(from, to))
    const outcomes = { wentOn: 0, undone: 0, done: 0 }
    for (let dieAt = 1, died = true; died; dieAt += 1) {
      await (await Caller.at(from)).write(put(`before-${dieAt}`))
      const fate = new Fate(dieAt, { afterwards: dieAt % 3 !== 0 })
      died = await cutover(moving(dying(from, fate), dying(to, fate))).then(
        () => false,
        (thrown) => {
          if (!(thrown instanceof Killed)) throw thrown
          return true
        },
      )
      const modes = [(await from.head()).mode, (await to.head()).mode]
      expect(modes.filter((mode) => mode === 'open').length, modes.join()).toBeLessThanOrEqual(1)
      if (modes[1] === 'open') {
        outcomes.done += 1
        await expect(abortCutover(moving(from, to))).rejects.toMatchObject({ code: 'COORD_STORE_MODE' })
      } else if (dieAt % 2 === 0) {
        outcomes.undone += 1
        await abortCutover(moving(from, to))
        await (await Caller.at(from)).write(put(`undone-${dieAt}`))
        await copyStore(moving(from, to))
      } else outcomes.wentOn += 1
      await cutover(moving(from, to))
      expect([(await from.head()).mode, (await to.head()).mode]).toEqual(['frozen', 'open'])
      // The next one leads back.
      ;[from, to] = [to, from]
    }
    console.log(JSON.stringify(outcomes))
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0)
    await expectSame(to, from)
    for (const store of [from, to]) await store.close()
  }, 290_000)

  it('that is killed with kill -9 while clients write loses and doubles nothing', async () => {
    await using server = await PostgresServer.start()
    await using folder = await scratchFolder()
    const [one, two] = ['one', 'two'].map((name) => schemaOf(server, name)) as [Ground, Ground]
    const path = ({ name }: Ground) => `${folder.path}/${name}.env`
    for (const ground of [one, two]) {
      const lines = Object.entries(ground.env ?? {}).map(([name, value]) => `${name}=${value}\n`)
      await writeFile(path(ground), lines.join(''))
    }
    let count = 0
    const ends: string[] = []
    const cutOver = async (old: Ground, now: Ground): Promise<CutoverReport> => {
      count += 1
      const command = ['cutover', '--from', path(old), '--to', path(now), '--json']
      const killed = new CoordinatorProcess(command)
      await killed.wrote(/comparing: /)
      await sleep(Math.random() * 300)
      await killed.stop('SIGKILL')
      if (count % 2 === 0) {
        const { code } = await runCoordinator([...command, '--abort'])
        ends.push(code === 0 ? 'undone' : 'done')
      } else ends.push('went on')
      for (;;) {
        const { code, stdout, stderr } = await runCoordinator(command)
        if (code === 0) return JSON.parse(stdout) as CutoverReport
        // After an abort, the copy that follows begins anew, and needs a moment.
        expect(stderr).toContain('COORD_STORE_MODE')
        await sleep(200)
      }
    }
    const { reports } = await runCutovers({
      path: [one, two, one, two, one, two, one],
      writesBetween: 50,
      cutOver,
    })
    console.log(ends.join(', '))
    expect(reports).toHaveLength(6)
  }, 290_000)
})
