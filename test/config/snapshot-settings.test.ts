import { describe, expect, it } from 'vitest'
import { readSettings } from '../../src/config/settings.ts'
import { snapshotNameOf } from '../../src/config/snapshot-settings.ts'

const url = 'postgres://ann:secret@one:5432,two:5433/db'

function nameOf(env: Record<string, string>): string | undefined {
  const { database, databaseSchema } = readSettings(env)
  return snapshotNameOf(database, databaseSchema)
}

describe('the name of the snapshots of a database', () => {
  it('stays the same for other credentials, other TLS settings, and the hosts in another order', () => {
    const name = nameOf({ DATABASE_URL: url })
    expect(name).toMatch(/^[0-9a-f]{64}$/)
    for (const other of [
      'postgres://bob:changed@one:5432,two:5433/db',
      'postgres://bob@two:5433,one:5432/db?sslmode=require&application_name=x',
    ])
      expect(nameOf({ DATABASE_URL: other })).toBe(name)
  })

  it('is another one for each host, port, database and schema', () => {
    const names = [
      nameOf({ DATABASE_URL: url }),
      nameOf({ DATABASE_URL: url, DATABASE_SCHEMA: 'other' }),
      nameOf({ DATABASE_URL: url.replace('/db', '/other') }),
      nameOf({ DATABASE_URL: url.replace('5433', '5434') }),
      nameOf({ DATABASE_URL: url.replace('two', 'three') }),
      nameOf({ DATABASE_URL: url.replace(',two:5433', '') }),
      nameOf({ DATABASE_URL: `${url}?hostaddr=127.0.0.1,127.0.0.2` }),
    ]
    expect(new Set(names).size).toBe(names.length)
  })

  it('is that of the project on Supabase, whatever the key is', () => {
    const project = (key: string, SUPABASE_URL = 'https://db.example') =>
      nameOf({ SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY: key })
    const name = project('sb_secret_aaaaaaaaaaaaaaaaaaaaaaaa_aaaaaaaa')
    expect(name).toMatch(/^[0-9a-f]{64}$/)
    expect(project('sb_secret_bbbbbbbbbbbbbbbbbbbbbbbb_bbbbbbbb')).toBe(name)
    expect(project('sb_secret_aaaaaaaaaaaaaaaaaaaaaaaa_aaaaaaaa', 'https://other.example')).not.toBe(name)
  })
})

describe('SNAPSHOT_DIR', () => {
  it.each([
    [{ DATABASE_URL: 'sqlite:/data/coordinator.db' }, /no effect with SQLite/],
    [{}, /no effect without a database/],
  ])('only warns where it is of no use: %o', (env, warning) => {
    const { warnings } = readSettings({ ...env, SNAPSHOT_DIR: '/snapshots' })
    expect(warnings).toEqual([expect.stringMatching(warning)])
  })

  it('warns of nothing with a database that can be away', () => {
    expect(readSettings({ DATABASE_URL: url, SNAPSHOT_DIR: '/snapshots' }).warnings).toEqual([])
  })

  it('has no effect with a store of the program, and says so', () => {
    const { warnings } = readSettings({ DATABASE_URL: url, SNAPSHOT_DIR: '/s' }, { ownStore: true })
    expect(warnings).toEqual([expect.stringMatching(/store of your own/)])
  })
})
