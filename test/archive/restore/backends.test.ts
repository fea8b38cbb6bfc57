import { describe, expect, it } from 'vitest'
import { restore } from '../../../src/archive/restore/restore.ts'
import { put } from '../../conformance/build.ts'
import { Caller } from '../../conformance/caller.ts'
import { memoryBackend } from '../../support/backends/memory.ts'
import { postgresBackend } from '../../support/backends/postgres.ts'
import { sqliteBackend } from '../../support/backends/sqlite.ts'
import { supabaseBackend } from '../../support/backends/supabase.ts'
import { archiveOfHistory, patience } from './archive-of-history.ts'
import { planned } from './planned.ts'
import { Killed, stoppingStore } from './stopping-store.ts'
import { entriesOf, recordsAt } from './written-archive.ts'

const odd = { text: 'ä "quoted" \\ \u2028 \u{1f600}\t', number: 1e21, tiny: 5e-324, nested: [{ '': null }] }

describe.each([memoryBackend, sqliteBackend, postgresBackend(18), supabaseBackend()])(
  'an archive in $name',
  (backend) => {
    it('is restored exactly, also after the process was killed in the middle, and then takes commits', async () => {
      await using archive = await archiveOfHistory({ bases: [] })
      const { destination, store: original } = archive
      const caller = await Caller.at(original)
      const commit = {
        ...{ commitId: 'a0a0a0a0-0000-4000-8000-000000000001', actor: 'test', fingerprint: 'one' },
        writes: [put('odd', odd)],
      }
      const [first] = await caller.send(commit)
      await caller.write(put('odd', { ...odd, number: -0.5 }))
      await archive.write({ bases: [0, 20, 40] })
      for (const { history, revision } of [
        { history: true, revision: 50 },
        { history: false, revision: 33 },
      ]) {
        const subject = await backend.create({ pageSize: 7, firstRevision: 0 })
        try {
          const plan = await planned(destination, { revision }, { history })
          const stopped = stoppingStore(subject.store, history ? 7 : 5, 'after')
          await expect(restore({ destination, store: stopped, plan, patience })).rejects.toBeInstanceOf(
            Killed,
          )
          const store = backend.durable ? await subject.reopen() : subject.store
          const report = await restore({ destination, store, plan, patience })
          expect(report).toMatchObject({ revision, activeTokens: 1, floor: plan.base.revision })
          for (let at = plan.base.revision; at <= revision; at += 4)
            expect(await recordsAt(store, at)).toEqual(await recordsAt(original, at))
          if (!history) continue
          const { lineage } = (await original.head()).position
          expect(await entriesOf(store, lineage)).toEqual(await entriesOf(original))
          const restored = await Caller.at(store)
          expect((await restored.send(commit))[0]).toMatchObject({ ...first, replayed: true })
          expect(await restored.write(put('later'))).toMatchObject({ outcome: 'accepted', revision: 51 })
          expect(await recordsAt(store, 50)).toEqual(await recordsAt(original, 50))
        } finally {
          await subject.dispose()
        }
      }
    })
  },
)
