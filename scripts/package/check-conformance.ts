import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { link } from './check-consumer.ts'
import { run } from './run.ts'

/** A backend of somebody else: here the memory store, through the exports of the package only. */
const suite = `import { type Entry, MemoryStore, type MemoryStoreOptions, type Store } from '@coordinator/server'
import { describeStore, type Subject } from '@coordinator/server/conformance'

describeStore({
  name: 'memory of a consumer',
  backend: 'memory',
  durable: false,
  secondStore: 'separate',
  parts: [],
  propertyRuns: 3,
  async create(options): Promise<Subject> {
    let now: number | undefined
    const make = (more: MemoryStoreOptions = {}) =>
      new MemoryStore({ now: () => now ?? Date.now(), ...options, ...more })
    const store = make()
    let open: Store = store
    return {
      store,
      setClock: async (nowMs) => void (now = nowMs),
      beside: async () => make(),
      dispose: () => open.close(),
      async reopen() {
        now = undefined
        await open.close()
        return (open = make())
      },
      async loseTail(count) {
        const { lineage } = (await open.head()).position
        const reply = await open.changes({ lineage, revision: 0, digest: lineage }, 1e6)
        if (reply.status !== 'ok') throw new Error(reply.status)
        const entries: readonly Entry[] = reply.entries.slice(0, -count)
        const wanted = now
        now = entries[0]?.at ?? now
        const copy = make({ lineage })
        let attempt = 0
        for (const { commitId, actor, writes, at } of entries) {
          now = at
          const { position } = await copy.head()
          await copy.commit(position, [{ commitId, actor, writes }], { writer: lineage, attempt: ++attempt })
        }
        now = wanted
        await open.close()
        return (open = copy)
      },
    }
  },
})
`

/** Runs the conformance suite that the package ships, as the author of a third backend would. */
export async function checkConformance(folder: string): Promise<number> {
  writeFileSync(join(folder, 'store.test.ts'), suite)
  link(folder, 'vitest')
  link(folder, 'fast-check')
  await run(resolve('node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder })
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs')
  const output = await run(process.execPath, [vitest, 'run', '--root', folder], { cwd: folder })
  const cases = /ran (\d+) cases/.exec(output)?.[1]
  if (cases === undefined || Number(cases) === 0) throw new Error(`no conformance case ran:\n${output}`)
  return Number(cases)
}
