import type { Inspection } from '../store.ts'
import { type Finding, flaw, ok } from './finding.ts'

type Facts = Inspection['details']
type Judge = (facts: Facts, inspection: Inspection) => Finding | undefined

/** The versions of PostgreSQL with which the SQL is tested. */
const oldestServer = 15
const newestServer = 18
const largestSkewMs = 1_000
const slowRoundTripMs = 250
/** A commit holds the head for some milliseconds. */
const longHoldMs = 1_000

/** Each judge looks at certain facts, and returns nothing if the database does not have them. */
const judges: readonly Judge[] = [
  ({ serverVersionNumber: number }, { serverVersion }) => {
    if (typeof number !== 'number') return ok('server', `Version ${serverVersion}.`)
    const major = Math.trunc(number / 10_000)
    if (major < oldestServer)
      return flaw('server', 'problem', {
        found: `PostgreSQL ${serverVersion} is too old.`,
        repair: `Upgrade the server to PostgreSQL ${oldestServer} to ${newestServer}.`,
      })
    if (major > newestServer)
      return flaw('server', 'warning', {
        found: `PostgreSQL ${serverVersion} is newer than what this version was tested with.`,
        repair: 'Upgrade the coordinator.',
      })
    return ok('server', `PostgreSQL ${serverVersion}.`)
  },
  ({ standby }) => {
    if (standby !== true) return undefined
    return flaw('primary', 'problem', {
      found: 'The server is a standby: it cannot be written.',
      repair: 'Name the primary in DATABASE_URL, or all servers: `postgres://host1,host2/database`.',
    })
  },
  ({ encrypted, host, url }) => {
    if (typeof encrypted !== 'boolean' || typeof host !== 'string') return undefined
    if (encrypted) return ok('tls', 'The connection is encrypted.')
    if (isLocal(host)) return ok('tls', 'The connection is not encrypted, and stays on this machine.')
    return flaw('tls', 'warning', {
      found: `The connection to ${host} is not encrypted.`,
      repair:
        url === undefined
          ? 'Add `?sslmode=verify-full` to DATABASE_URL.'
          : 'Write https:// in SUPABASE_URL: the key goes over that connection.',
    })
  },
  (facts) => {
    const { roundTripMs, host } = facts
    if (typeof roundTripMs !== 'number') return undefined
    if (!isSlow(facts)) return ok('latency', `A round trip takes ${roundTripMs} ms.`)
    return flaw('latency', 'warning', {
      found: `A round trip takes ${roundTripMs} ms: every write waits at least that long.`,
      repair:
        typeof host === 'string' && isLocal(host)
          ? 'The database is on this machine: look for what keeps the machine or the database busy.'
          : 'Run the coordinator in the region of its database.',
    })
  },
  ({ clockSkewMs }) => {
    if (typeof clockSkewMs !== 'number') return undefined
    if (Math.abs(clockSkewMs) <= largestSkewMs)
      return ok('clock', `The clocks differ by ${Math.abs(clockSkewMs)} ms.`)
    return flaw('clock', 'warning', {
      found: `The clock of the database is ${Math.abs(clockSkewMs)} ms ${clockSkewMs > 0 ? 'ahead' : 'behind'}.`,
      repair: 'Synchronise both clocks by NTP: times of entries come from the database.',
    })
  },
  ({ atAheadMs }) => {
    if (typeof atAheadMs !== 'number') return undefined
    if (atAheadMs <= largestSkewMs) return ok('journal time', 'The times of the journal are not ahead.')
    return flaw('journal time', 'warning', {
      found: `The newest journal entry is ${atAheadMs} ms ahead of the clock of the database. New commits get the time of that entry until the clock has caught up.`,
      repair:
        'Synchronise the clock with NTP. Revisions and answers are right; only the times of new entries stand still meanwhile.',
    })
  },
  ({ fsync }) => {
    if (typeof fsync !== 'string') return undefined
    if (fsync === 'on') return ok('durability', 'The server flushes what it commits.')
    return flaw('durability', 'problem', {
      found: 'The server runs with fsync=off: a power failure loses or destroys what was acknowledged.',
      repair: 'Set `fsync = on` in postgresql.conf and restart the server.',
    })
  },
  ({ synchronous, journalMode }) => {
    if (typeof synchronous !== 'string') return undefined
    if (synchronous === 'full' && journalMode === 'wal')
      return ok('durability', 'The file is flushed at every commit.')
    return flaw('durability', 'problem', {
      found: `The file is written with synchronous=${synchronous}, journal_mode=${journalMode}.`,
      repair: 'Restart the coordinator: it sets both when it opens the file.',
    })
  },
  ({ encoding }) => {
    if (typeof encoding !== 'string') return undefined
    if (encoding === 'UTF8') return ok('encoding', 'The database stores UTF-8.')
    return flaw('encoding', 'problem', {
      found: `The database stores ${encoding}: names outside of it are refused.`,
      repair: "Create the database anew with `create database ... encoding 'UTF8' template template0`.",
    })
  },
  ({ isolation }) => {
    if (typeof isolation !== 'string' || isolation === 'read committed') return undefined
    return flaw('isolation', 'problem', {
      found: `Transactions run as "${isolation}": commits of several coordinators would fail each other.`,
      repair: "Run `alter role ... set default_transaction_isolation to 'read committed'`.",
    })
  },
  ({ statementTimeout }) => {
    if (typeof statementTimeout !== 'string') return undefined
    // PostgreSQL prints whole seconds and longer times in larger units.
    if (/^\d{1,3}ms$/.test(statementTimeout))
      return flaw('statement time-out', 'warning', {
        found: `The role has ${statementTimeout}: on a busy server that stops what only waits for its turn.`,
        repair: "Run `alter role ... set statement_timeout to '10s'`.",
      })
    return ok(
      'statement time-out',
      statementTimeout === '0' ? 'The role has none.' : `The role has ${statementTimeout}.`,
    )
  },
  ({ pooled }) => {
    if (typeof pooled !== 'boolean') return undefined
    return ok('pooler', pooled ? 'Connections come from a pooler.' : 'Connections are direct.')
  },
  ({ headHolder, waitingForStandby }) => {
    if (typeof headHolder !== 'string' || isPassing(headHolder)) return undefined
    // A session that waits for the standby has committed: whoever ends it shows everybody what a failover may lose.
    if (typeof waitingForStandby === 'string')
      return flaw('writers', 'problem', {
        found: `All writers wait for the synchronous standby. Sessions of the primary that wait for it: ${waitingForStandby}.`,
        repair: 'Bring the standby back, and end none of these sessions.',
      })
    return flaw('writers', 'warning', {
      found: `All writers wait for another transaction: ${headHolder}.`,
      repair: 'End that session, or `select pg_terminate_backend(<its pid>)`.',
    })
  },
  ({ key, keyVariable }) => {
    if (typeof key !== 'string') return undefined
    return ok('key', `${keyVariable}: ${key}.`)
  },
  ({ user, owner }) => {
    if (typeof user !== 'string') return undefined
    return ok('role', owner === undefined ? user : `${user}; the schema belongs to ${owner}.`)
  },
  ({ anonAllowed }) => {
    if (anonAllowed !== true) return undefined
    return flaw('rights', 'warning', {
      found: 'Everybody who has the public key of the project may read and write every record.',
      repair:
        'Use SUPABASE_SERVICE_ROLE_KEY, and take the right back with `coordinator migrate --forbid-anon`, which needs DATABASE_URL.',
    })
  },
]

/** Whether writes would wait long for the network. One slow answer says little: the connection may be new, or the machine busy. */
export function isSlow({ roundTripMs }: Facts): boolean {
  return typeof roundTripMs === 'number' && roundTripMs >= slowRoundTripMs
}

/** Judges the facts of an inspection. */
export function judgeFacts(inspection: Inspection): readonly Finding[] {
  return judges.flatMap((judge) => judge(inspection.details, inspection) ?? [])
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || /^(localhost|127\.[\d.]+|\[?::1\]?)(:\d+)?$/.test(host)
}

/** @param holder JSON; without `sinceMs` if its session belongs to another role */
function isPassing(holder: string): boolean {
  const { sinceMs } = JSON.parse(holder) as { readonly sinceMs?: number | null }
  return typeof sinceMs === 'number' && sinceMs < longHoldMs
}
