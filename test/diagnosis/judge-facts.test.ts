import { describe, expect, it } from 'vitest'
import { judgeFacts } from '../../src/database/diagnosis/judge-facts.ts'
import type { Inspection } from '../../src/database/store.ts'

const judge = (details: Inspection['details'], serverVersion = '18.4') =>
  judgeFacts({ serverVersion, schemaVersion: 1, details })

describe('judging the facts of a database', () => {
  const flaws: readonly (readonly [string, Inspection['details'], string])[] = [
    ['a server that is too old', { serverVersionNumber: 140_010 }, 'server: problem'],
    ['a server that is newer than what was tested', { serverVersionNumber: 190_001 }, 'server: warning'],
    ['a standby', { standby: true }, 'primary: problem'],
    ['an open connection to another machine', { encrypted: false, host: 'db.example:5432' }, 'tls: warning'],
    [
      'a key that travels in clear text',
      { encrypted: false, host: 'api.example', url: 'http://api.example' },
      'tls: warning',
    ],
    ['a long way', { roundTripMs: 400 }, 'latency: warning'],
    ['a clock that is ahead', { clockSkewMs: 5_000 }, 'clock: warning'],
    ['times of the journal that are ahead', { atAheadMs: 5_000 }, 'journal time: warning'],
    ['a clock that is behind', { clockSkewMs: -5_000 }, 'clock: warning'],
    ['a server that does not flush', { fsync: 'off' }, 'durability: problem'],
    ['a file that is not flushed', { synchronous: 'normal', journalMode: 'wal' }, 'durability: problem'],
    ['an encoding that loses names', { encoding: 'LATIN1' }, 'encoding: problem'],
    ['transactions that fail each other', { isolation: 'serializable' }, 'isolation: problem'],
    ['a role whose statements have no time', { statementTimeout: '500ms' }, 'statement time-out: warning'],
    ['a transaction left open', { headHolder: '{"pid":7,"sinceMs":2000}' }, 'writers: warning'],
    [
      'a synchronous standby that does not confirm commits',
      { headHolder: '{"pid":7,"sinceMs":2000}', waitingForStandby: '7' },
      'writers: problem',
    ],
    ['a transaction of another role', { headHolder: '{"pid":7,"sinceMs":null}' }, 'writers: warning'],
    ['a public key that may write', { anonAllowed: true }, 'rights: warning'],
  ]
  it.each(flaws)('names %s, with one repair', (_what, facts, expected) => {
    const found = judge(facts).filter(({ state }) => state !== 'ok')
    expect(found.map(({ check, state }) => `${check}: ${state}`)).toEqual([expected])
    expect(found[0]?.repair).toMatch(/\S/)
  })

  const fine: readonly (readonly [string, Inspection['details']])[] = [
    ['an open connection on this machine', { encrypted: false, host: '127.0.0.1:5432' }],
    ['an open connection through a socket', { encrypted: false, host: '/var/run/postgresql' }],
    ['an encrypted connection', { encrypted: true, host: 'db.example:5432' }],
    ['a flushed file', { synchronous: 'full', journalMode: 'wal' }],
    ['a role whose statements have time', { statementTimeout: '8s' }],
    ['a role whose statements have all the time', { statementTimeout: '0' }],
    ['a coordinator that commits at this moment', { headHolder: '{"pid":7,"sinceMs":3}' }],
    ['every server version that is tested', { serverVersionNumber: 150_018 }],
  ]
  it.each(fine)('accepts %s', (_what, facts) => {
    expect(judge(facts).every(({ state, repair }) => state === 'ok' && repair === undefined)).toBe(true)
  })

  const sentences: readonly (readonly [Inspection['details'], string])[] = [
    [{ serverVersionNumber: 180_004 }, 'server ok: PostgreSQL 18.4.'],
    [{ serverVersionNumber: 149_999 }, 'server problem: PostgreSQL 18.4 is too old.'],
    [{ clockSkewMs: 1_000 }, 'clock ok: The clocks differ by 1000 ms.'],
    [{ clockSkewMs: -1_000 }, 'clock ok: The clocks differ by 1000 ms.'],
    [{ clockSkewMs: 1_001 }, 'clock warning: The clock of the database is 1001 ms ahead.'],
    [{ clockSkewMs: -1_001 }, 'clock warning: The clock of the database is 1001 ms behind.'],
    [{ roundTripMs: 249 }, 'latency ok: A round trip takes 249 ms.'],
    [
      { roundTripMs: 250 },
      'latency warning: A round trip takes 250 ms: every write waits at least that long.',
    ],
    [
      { synchronous: 'full', journalMode: 'delete' },
      'durability problem: The file is written with synchronous=full, journal_mode=delete.',
    ],
    [
      { statementTimeout: '999ms' },
      'statement time-out warning: The role has 999ms: on a busy server that stops what only waits for its turn.',
    ],
    [{ statementTimeout: '1s' }, 'statement time-out ok: The role has 1s.'],
    [{ pooled: true }, 'pooler ok: Connections come from a pooler.'],
    [{ pooled: false }, 'pooler ok: Connections are direct.'],
    [
      { encrypted: false, host: 'localhost.example' },
      'tls warning: The connection to localhost.example is not encrypted.',
    ],
    [
      { encrypted: false, host: '[::1]:5432' },
      'tls ok: The connection is not encrypted, and stays on this machine.',
    ],
    [{ user: 'app', owner: 'boss' }, 'role ok: app; the schema belongs to boss.'],
    [{ user: 'app' }, 'role ok: app'],
    [
      { key: 'secret key (sb_secret_...)', keyVariable: 'SUPABASE_SECRET_KEY' },
      'key ok: SUPABASE_SECRET_KEY: secret key (sb_secret_...).',
    ],
  ]
  it.each(sentences)('%j is told as "%s"', (facts, expected) => {
    const told = judge(facts).map(({ check, state, found }) => `${check} ${state}: ${found}`)
    expect(told.filter((text) => text !== 'server ok: Version 18.4.')).toEqual([expected])
  })

  it('takes a head that is held for a second for a transaction left open, and less for a commit', () => {
    const holding = (sinceMs: number) =>
      judge({ headHolder: JSON.stringify({ pid: 7, sinceMs }) }).some(({ check }) => check === 'writers')
    expect([holding(999), holding(1_000)]).toEqual([false, true])
  })

  it('says nothing about what the database did not tell', () => {
    expect(judge({}).map(({ check }) => check)).toEqual(['server'])
  })
})

describe('a slow round trip', () => {
  const repairOf = (details: Inspection['details']) =>
    judgeFacts({ serverVersion: '18.4', schemaVersion: 1, details }).find(({ check }) => check === 'latency')
      ?.repair

  it('is no reason to move the coordinator if the database is on this machine', () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]:5432', '/var/run/postgresql'])
      expect(repairOf({ roundTripMs: 400, host, encrypted: true })).toMatch(
        /^The database is on this machine: /,
      )
    expect(repairOf({ roundTripMs: 400, host: 'db.example', encrypted: true })).toBe(
      'Run the coordinator in the region of its database.',
    )
  })
})
