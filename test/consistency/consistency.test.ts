import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { SqliteStore } from '../../src/database/sqlite/store.ts'
import { runConsistency } from './consistency-run.ts'
import { expectConsistent } from './expect-consistent.ts'
import { disturbConnection, withCoordinators } from './several-coordinators.ts'

describe('what clients are told', () => {
  it.each([
    ['one coordinator', 1],
    ['three coordinators that are mostly behind', 3],
  ])('is of one history, with faults at any moment: %s', async (_name, count) => {
    const store = new MemoryStore()
    await withCoordinators(Array(count).fill(store), async (scopes) => {
      const verdict = await runConsistency({
        urls: scopes.map(({ url }) => url),
        calls: 1_000,
        disturb: (random) =>
          disturbConnection(
            scopes.map((scope) => scope.store),
            random,
          ),
      })
      expectConsistent(verdict, { known: 500 })
    })
  })

  it('is of one history, with faults at any moment: a coordinator on SQLite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consistency-'))
    const store = new SqliteStore({ path: join(folder, 'coordinator.db') })
    try {
      await withCoordinators([store], async (scopes) => {
        const verdict = await runConsistency({
          urls: scopes.map(({ url }) => url),
          calls: 700,
          disturb: (random) =>
            disturbConnection(
              scopes.map((scope) => scope.store),
              random,
            ),
        })
        expectConsistent(verdict, { known: 350 })
      })
    } finally {
      await store.close()
      rmSync(folder, { recursive: true })
    }
  })
})
