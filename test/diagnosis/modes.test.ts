import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/database/diagnosis/diagnose.ts'
import type { Store } from '../../src/database/store.ts'
import { postgresBackend } from '../support/backends/postgres.ts'
import { sqliteBackend } from '../support/backends/sqlite.ts'

const findingsOf = (store: Store) => Array.fromAsync(diagnose(store))

const modes = [
  ['seeding', 'problem', /^The database is being filled.*mode seeding/, /`coordinator restore`/],
  ['copy', 'warning', /is a copy of another one.*mode copy/, /`coordinator cutover`/],
  [
    'frozen',
    'problem',
    /because another one takes its place \(mode frozen\)/,
    /`coordinator cutover --abort`/,
  ],
] as const

describe.each([sqliteBackend, postgresBackend(18)])('a database of $name that takes no writes', (backend) => {
  it.each(modes)(
    'is told as %s, with what to do, and is neither damaged nor written',
    async (mode, state, found, repair) => {
      const subject = await backend.create({ pageSize: 100, firstRevision: 0 })
      try {
        await subject.store.open()
        const before = await subject.store.setMode('open', mode)
        const findings = await findingsOf(await subject.reopen())
        expect(
          // The test server does not flush.
          findings.filter((finding) => finding.state !== 'ok' && finding.check !== 'durability'),
        ).toEqual([
          {
            check: 'writing',
            state,
            found: expect.stringMatching(found),
            repair: expect.stringMatching(repair),
          },
        ])
        expect(findings.map(({ check }) => check)).toEqual(
          expect.arrayContaining(['reading', 'records', 'drift']),
        )
        expect(await (await subject.reopen()).open()).toEqual(before)
      } finally {
        await subject.dispose()
      }
    },
  )
})
