import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FolderDestination } from '../../../src/archive/destination/folder-destination.ts'
import { readInventory } from '../../../src/archive/inventory/inventory.ts'
import { planRestore } from '../../../src/archive/inventory/plan-restore.ts'
import { restore } from '../../../src/archive/restore/restore.ts'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { ask, serving } from '../../main/coordinator-process.ts'

/** `TEST_ROUNDS=50` kills more often. */
const rounds = Number(process.env['TEST_ROUNDS'] ?? 8)

it(`a coordinator that is killed ${rounds} times while it archives leaves an archive from which everything acknowledged comes back`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coordinator-killed-'))
  try {
    const env = {
      DATABASE_URL: `sqlite:${join(folder, 'coordinator.db')}`,
      BACKUP_URL: `file://${join(folder, 'backup')}`,
      BACKUP_INTERVAL_MS: '100',
    }
    const acknowledged = new Set<string>()
    let lineage = ''
    for (let round = 0; round <= rounds; round += 1) {
      await using coordinator = await serving({ env })
      const isLast = round === rounds
      let isKilled = false
      const clients = Array.from({ length: 4 }, async (_, client) => {
        for (let count = 0; !isKilled && (!isLast || count < 10); count += 1) {
          const serviceName = `s-${round}-${client}-${count}`
          const body = { serviceName, endpoint: `http://${serviceName}:1`, version: '1.0.0' }
          const reply = await ask(`${coordinator.url}/register`, 'POST', body).catch(() => undefined)
          if (reply?.status === 201) acknowledged.add(serviceName)
        }
      })
      if (!isLast) {
        const before = acknowledged.size
        await expect.poll(() => acknowledged.size).toBeGreaterThan(before + 20)
        // At any moment: between two intervals, while a file is written, or a base.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 250))
        await coordinator.stop('SIGKILL')
        isKilled = true
        await Promise.all(clients)
        continue
      }
      await Promise.all(clients)
      lineage = (await ask(`${coordinator.url}/health`)).body.lineage
      await coordinator.stop('SIGTERM')
    }
    const destination = new FolderDestination({ path: join(folder, 'backup') })
    const inventory = await readInventory(destination)
    const plan = await planRestore(inventory, { lineage })
    const store = new MemoryStore()
    const patience = { patienceMs: 0, signal: new AbortController().signal }
    await restore({ store, plan, destination, patience })
    const pages = await Array.fromAsync(store.asOf({ at: Number.POSITIVE_INFINITY }, { kind: 'service' }))
    const names = pages.flatMap(({ records }) =>
      records.map(({ data }) => (JSON.parse(data) as { serviceName: string }).serviceName),
    )
    const restored = new Set(names)
    expect(restored.size).toBe(names.length)
    expect([...acknowledged].filter((name) => !restored.has(name))).toEqual([])
    // Every file is whole: what was cut off has another name, and no list shows it.
    expect(inventory.strange).toEqual([])
    expect(inventory.lineages.map((each) => each.lineage)).toEqual([lineage])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 240_000)
