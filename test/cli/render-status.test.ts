import { describe, expect, it } from 'vitest'
import { renderStatus } from '../../src/cli/render-status.ts'

const since = '2026-01-02T03:04:05.000Z'
const calls = { count: 4, p50Ms: 1.5, p95Ms: 2, p99Ms: 3 }

describe('coordinator status: the table', () => {
  it('says in few words what is as it should be, and nothing of pools that cannot have connections', () => {
    const answers = {
      url: 'http://127.0.0.1:3000',
      health: {
        status: 'ok',
        uptime: 7_512.4,
        registeredServices: 28,
        storage: { backend: 'sqlite', durable: true, status: 'ready', since },
        version: '1.2.3',
      },
      database: {
        ...{ backend: 'sqlite', durable: true, status: 'ready', since, lineage: 'a-b' },
        ...{ headRevision: 28, viewRevision: 28, lagRevisions: 0, ageMs: 12, floorRevision: 0 },
        ...{ waitingWrites: 0, refusedCount: 0, refusedRecords: [], latency: { commit: calls } },
        server: {
          serverVersion: '3.53',
          schemaVersion: 1,
          details: {
            file: '/data/x.db',
            fileBytes: 3_145_728,
            walBytes: 4_152,
            busyTimeoutMs: 0,
            pooled: false,
          },
        },
        pool: {
          writer: { used: 0, idle: 1, waiting: 0, max: 1 },
          reader: { used: 0, idle: 0, waiting: 0, max: 0 },
        },
      },
    }
    const short = [
      'coordinator  http://127.0.0.1:3000, version 1.2.3',
      'health       ok, up 2 h 5 min',
      'services     28',
      '',
      'Database',
      '  kept in   a SQLite file, /data/x.db, durable',
      `  state     ready, since ${since}`,
      '  revision  28',
      '  lineage   a-b',
      '  behind    0 revisions, confirmed 12 ms ago',
      '',
    ]
    expect(renderStatus(answers).split('\n')).toEqual(short)
    expect(renderStatus(answers, true).split('\n')).toEqual([
      ...short,
      'More about the database',
      '  schema           1',
      '  SQLite version   3.53',
      '  waiting writes   0',
      '  file             /data/x.db',
      '  file size        3.0 MiB',
      '  write-ahead log  4.1 KiB',
      '  busy timeout     0 ms',
      '  pooled           no',
      '',
      'Connections',
      '  writer  0 used, 1 idle of 1; 0 waiting',
      '',
      'Time that calls take',
      '  commit  half within 1.5 ms, 95 % within 2 ms, 99 % within 3 ms (4 calls)',
      '',
    ])
  })

  it('claims no revision and no confirmation before the first load', () => {
    const database = {
      status: 'loading',
      since,
      loadedRecords: 8,
      viewRevision: 0,
      lagRevisions: 0,
      ageMs: 0,
    }
    const text = renderStatus({ url: 'http://x', health: { status: 'starting' }, database })
    expect(text.split('\n')).toEqual([
      'coordinator  http://x',
      'health       starting',
      '',
      'Database',
      `  state   loading, since ${since}`,
      '  loaded  8 records so far',
      '',
    ])
  })

  it.each([
    [1, '1 write'],
    [2, '2 writes'],
  ])('counts %i waiting writes in plain words', (waitingWrites, words) => {
    const answers = { url: 'http://x', health: { status: 'ok' }, database: { waitingWrites } }
    expect(renderStatus(answers)).toMatch(new RegExp(`^ *waiting +${words}$`, 'm'))
  })

  it('gives the reason for what is not', () => {
    const answers = {
      url: 'http://x',
      health: { status: 'degraded', uptime: 5 },
      database: {
        ...{ status: 'degraded', since, reason: 'The database cannot be reached: refused' },
        ...{ code: 'COORD_STORE_UNAVAILABLE', repair: 'Start the database.' },
        ...{ headRevision: 30, viewRevision: 28, lagRevisions: 2, ageMs: 9_000, floorRevision: 10 },
        ...{ refusedCount: 1, refusedRecords: [{ kind: 'service', id: 'x', reason: 'no name' }] },
        pool: { writer: { idle: 0, used: 1, waiting: 3, max: 1 } },
        lastErrors: [{ at: since, operation: 'commit', code: 'COORD_STORE_TIMEOUT', detail: 'late' }],
      },
    }
    const text = renderStatus(answers)
    for (const line of [
      /^health +degraded, up 5 s$/m,
      /^ {2}reason +The database cannot be reached: refused \[COORD_STORE_UNAVAILABLE\]$/m,
      /^ {2}repair +Start the database\.$/m,
      /^ {2}revision +28, the database is at 30, history from 10$/m,
      /^ {2}behind +2 revisions, confirmed 9000 ms ago$/m,
      /^ {2}refused +1 records, which are not served$/m,
      /^ +service x: no name$/m,
      new RegExp(`^ {2}last error +${since} commit: late \\[COORD_STORE_TIMEOUT\\]$`, 'm'),
    ])
      expect(text).toMatch(line)
    expect(renderStatus(answers, true)).toMatch(/^ {2}writer +1 used, 0 idle of 1; 3 waiting$/m)
  })

  it('tells an error that comes again and again once, and how often it came', () => {
    const error = { operation: 'commit', code: 'COORD_STORE_TIMEOUT', detail: 'late' }
    const lastErrors = [
      { at: '3', ...error },
      { at: '2', ...error, operation: 'changes' },
      { at: '1', ...error },
      { at: '0', ...error },
    ]
    expect(renderStatus({ url: 'http://x', health: {}, database: { lastErrors } })).toBe(
      [
        'coordinator  http://x',
        '',
        'Database',
        '  last error  3 commit: late [COORD_STORE_TIMEOUT], and 2 more since 0',
        '  last error  2 changes: late [COORD_STORE_TIMEOUT]',
        '',
      ].join('\n'),
    )
  })

  it('says who may do what, and what the caller may not see', () => {
    const access = {
      ...{ mode: 'required', actor: 'token:ci', scopes: ['register:a', 'graph'] },
      ...{ expiresAt: since, nextStep: 'Set AUTH_ADMIN_TOKEN.' },
    }
    expect(renderStatus({ url: 'http://x', access, health: null, database: null }).split('\n')).toEqual([
      'coordinator  http://x',
      'health       not shown: it needs a token with the scope read or metrics',
      '',
      'Access',
      '  open to    those with a credential',
      `  you are    token:ci, the token expires at ${since}`,
      '  scopes     register:a graph',
      '  next step  Set AUTH_ADMIN_TOKEN.',
      '',
    ])
    const open = { mode: 'open', actor: 'http:127.0.0.1', scopes: ['admin'], nextStep: 'Close it.' }
    const health = { status: 'ok' }
    expect(renderStatus({ url: 'http://x', access: open, health, database: null }).split('\n')).toEqual([
      'coordinator  http://x',
      'health       ok',
      '',
      'Access',
      '  open to  everybody on this machine',
      '  you are  http:127.0.0.1',
      '  scopes   admin',
      '',
      'Database',
      '  more  not shown: it needs a token with the scope metrics',
      '',
    ])
  })

  it('leaves out what a coordinator does not say', () => {
    expect(renderStatus({ url: 'http://x', health: { status: 'ok' }, database: '<html>' })).toBe(
      'coordinator  http://x\nhealth       ok\n',
    )
  })
})
