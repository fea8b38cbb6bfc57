import { describe, expect, it } from 'vitest'
import { readSettings } from '../../src/config/settings.ts'
import { faultOf } from './fault-of.ts'

const DATABASE_URL = 'postgres://u@primary/db'

function replicas(text: string, env: Record<string, string> = {}) {
  return readSettings({ DATABASE_URL, DATABASE_REPLICAS: text, ...env }).databaseReplicas
}

describe('DATABASE_REPLICAS', () => {
  it('are URLs with any white space between them, in their order', () => {
    const found = replicas(' postgres://u@r1/db\n\tpostgresql://u@r2,r3:5433/db  ')
    expect(found.map(({ hosts }) => hosts.map(({ host, port }) => `${host}:${port}`))).toEqual([
      ['r1:5432'],
      ['r2:5432', 'r3:5433'],
    ])
  })

  it('take from the variables PG* what their URLs leave open, as DATABASE_URL does', () => {
    const [found] = replicas('postgres://r1', { PGUSER: 'ann', PGPASSWORD: 'pw', PGDATABASE: 'shop' })
    expect(found).toMatchObject({ user: 'ann', database: 'shop' })
    expect(found?.password?.reveal()).toBe('pw')
  })

  it.each(['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'])(
    'may ask for target_session_attrs=%s, which the variable for the primary does not change',
    (kind) => {
      const [found] = replicas(`postgres://u@r1/db?target_session_attrs=${kind}`, {
        PGTARGETSESSIONATTRS: 'primary',
      })
      expect(found?.sessionKind).toBe(kind)
      expect(replicas('postgres://u@r1/db', { PGTARGETSESSIONATTRS: 'primary' })[0]).not.toHaveProperty(
        'sessionKind',
      )
    },
  )

  it('may name the database itself', () => {
    expect(replicas(DATABASE_URL)).toHaveLength(1)
  })

  it('are none if nothing is set', () => {
    expect(readSettings({ DATABASE_URL }).databaseReplicas).toEqual([])
  })

  const valid = 'postgres://u@r1/db'
  it.each([
    ['r1:5432', '(replica 0; the first is 0) is not a URL that begins with postgres://.'],
    [`${valid} host=r2`, '(replica 1; the first is 0) is not a URL that begins with postgres://.'],
    [`${valid} sqlite:x`, '(replica 1; the first is 0) is not a URL that begins with postgres://.'],
    [
      `${valid} postgres://u@r2:x/db`,
      '(replica 1; the first is 0) has a port that is not a number from 1 to 65535.',
    ],
    [
      `${valid} postgres://u@r2/db?target_session_attrs=slave`,
      '(replica 1; the first is 0) has an unknown target_session_attrs: use one of any, read-write, read-only, primary, standby, prefer-standby.',
    ],
    [
      `${valid} postgres://u@r2/db ${valid}`,
      '(replica 2; the first is 0) names the same servers as replica 0: remove one of them.',
    ],
    [
      'postgres://u@r1,r2/db postgres://v@r2,r1/db',
      '(replica 1; the first is 0) names the same servers as replica 0: remove one of them.',
    ],
  ])('%s: the fault names the URL by its number', (text, detail) => {
    const fault = faultOf({ DATABASE_URL, DATABASE_REPLICAS: text })
    expect(fault.errors).toEqual([
      { path: 'DATABASE_REPLICAS', code: 'COORD_CONFIG_INVALID', message: `DATABASE_REPLICAS ${detail}` },
    ])
  })

  it('are 16 at most', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => `postgres://u@r${index}/db`).join(' ')
    expect(replicas(many(16))).toHaveLength(16)
    expect(faultOf({ DATABASE_URL, DATABASE_REPLICAS: many(17) }).detail).toBe(
      'DATABASE_REPLICAS has 17 URLs: the most are 16.',
    )
  })

  it.each([
    ['nothing', {}],
    ['SQLite', { DATABASE_URL: 'sqlite:x.db' }],
    ['memory', { DATABASE_URL: 'memory:' }],
    ['Supabase', { SUPABASE_URL: 'https://x.supabase.co', SUPABASE_SECRET_KEY: 'sb_secret_x' }],
  ])('are refused with %s as the database', (_, env) => {
    expect(faultOf({ ...env, DATABASE_REPLICAS: valid }).detail).toBe(
      'DATABASE_REPLICAS needs the PostgreSQL database of which they are replicas: set DATABASE_URL=postgres://..., or unset DATABASE_REPLICAS.',
    )
  })

  it('with a wrong variable PG* draw one fault, not one for each URL', () => {
    const fault = faultOf({ DATABASE_URL, DATABASE_REPLICAS: `${valid} postgres://u@r2/db`, PGPORT: 'x' })
    expect(fault.detail).toBe('PGPORT has a port that is not a number from 1 to 65535.')
  })

  it('with a parameter that is not used draw a warning that names the URL', () => {
    const { warnings } = readSettings({ DATABASE_URL, DATABASE_REPLICAS: `${valid}?schema=x` })
    expect(warnings).toEqual([
      'DATABASE_REPLICAS (replica 0; the first is 0) has a parameter schema that is not used: set DATABASE_SCHEMA.',
    ])
  })
})

describe('DATABASE_REPLICA_READS', () => {
  it('is a list of what replicas answer', () => {
    expect(readSettings({ DATABASE_REPLICA_READS: 'history' }).databaseReplicaReads).toEqual(['history'])
  })

  it.each(['commit', 'load,changes', ','])('%s is refused', (value) => {
    expect(faultOf({ DATABASE_REPLICA_READS: value }).detail).toBe(
      'DATABASE_REPLICA_READS must be one or more of load, asOf, history, separated by commas.',
    )
  })
})
