import { sqlName } from '../describe-damage.ts'
import type { Inspector, Replication } from '../inspector.ts'
import { type Finding, flaw, ok } from './finding.ts'

/** What the settings say about the servers of the database. */
export interface ClusterFacts {
  /** Whether commits are meant to wait for a standby. */
  readonly isSynchronous: boolean
  /** How many hosts DATABASE_URL names. */
  readonly hosts: number
  /** How long it may take until another server is the primary, in milliseconds. */
  readonly failoverMs: number
  /** How long a write may take, in milliseconds. */
  readonly commitTimeoutMs: number
}

/**
 * A new primary takes writes only when a standby follows it. With Patroni, that took 3 seconds after the promotion on a machine with nothing
 * else to do.
 */
const STANDBY_MARGIN_MS = 5_000

/** Whether commits wait for a standby, as somebody expects, and whether writes wait for a failover. */
export async function findReplication(
  inspector: Pick<Inspector, 'inspectReplication'>,
  cluster: ClusterFacts,
): Promise<readonly Finding[]> {
  const findings = judgeTimeout(cluster)
  if (!cluster.isSynchronous) return findings
  const replication = await inspector.inspectReplication?.()
  return [...findings, ...(replication === undefined ? [cannotTell] : judge(replication))]
}

const check = 'synchronous standby'

const cannotTell = flaw(check, 'warning', {
  found: 'This backend cannot tell whether commits wait for a standby.',
  repair: 'Set DATABASE_URL to the `postgres://` URL of the database, or unset EXPECT_SYNC_STANDBY.',
})

function judgeTimeout({
  isSynchronous,
  hosts,
  failoverMs,
  commitTimeoutMs,
}: ClusterFacts): readonly Finding[] {
  if (!isSynchronous && hosts < 2) return []
  const needed = failoverMs + STANDBY_MARGIN_MS
  if (commitTimeoutMs >= needed)
    return [ok('failover', `A write waits up to ${commitTimeoutMs} ms: longer than a failover takes.`)]
  return [
    flaw('failover', 'warning', {
      found: `A failover may take ${failoverMs} ms (EXPECT_FAILOVER_MS), and ${STANDBY_MARGIN_MS} ms more until the new primary has a standby. A write waits for only ${commitTimeoutMs} ms (COMMIT_TIMEOUT_MS), then it gets 503.`,
      repair: `Set COMMIT_TIMEOUT_MS=${needed}, and let clients wait as long. If your cluster needs less time, lower EXPECT_FAILOVER_MS.`,
    }),
  ]
}

function judge(replication: Replication): readonly Finding[] {
  const { synchronousCommit: level } = replication
  const standby = judgeStandby(replication)
  if (level !== 'off' && level !== 'local') return [standby]
  const durability = flaw('synchronous commit', 'warning', {
    found: `Sessions of the role ${replication.role} have synchronous_commit=${level}: they wait for no standby. Writes of the coordinator do all the same; migrations and changes by hand do not.`,
    repair: resetCommit(replication),
  })
  return [standby, durability]
}

function judgeStandby({ role, synchronousNames, seesStandbys, standbys }: Replication): Finding {
  if (synchronousNames === '')
    return flaw(check, 'problem', {
      found:
        'Commits wait for no standby (synchronous_standby_names is empty): a failover may lose acknowledged writes.',
      repair:
        'With Patroni, set `synchronous_mode: true` and `synchronous_mode_strict: true` by `patronictl edit-config`. Otherwise set `synchronous_standby_names` in postgresql.conf, and reload it.',
    })
  const names = standbys.filter(({ syncState }) => syncState === 'sync' || syncState === 'quorum')
  if (names.length > 0)
    return ok(
      check,
      `Commits wait for ${names.map(({ name, syncState }) => `${name} (${syncState})`).join(', ')}.`,
    )
  if (!seesStandbys)
    return flaw(check, 'warning', {
      found: `Commits wait for ${synchronousNames}, and the role ${role} may not see whether that standby is there.`,
      repair: `As a superuser run \`grant pg_read_all_stats to ${sqlName(role)}\`.`,
    })
  const others = standbys.map(({ name, syncState }) => `${name} (${syncState})`).join(', ')
  return flaw(check, 'problem', {
    found: `Commits wait for ${synchronousNames}, and no such standby is connected${others === '' ? '' : `, only ${others}`}.`,
    repair: 'Start that standby, and look into its log for why it does not stream from the primary.',
  })
}

/** The command that takes the setting back, by where it comes from. */
function resetCommit({ role, database, synchronousCommitSource: source }: Replication): string {
  switch (source) {
    case 'user':
      return `Run \`alter role ${sqlName(role)} reset synchronous_commit\`.`
    case 'database':
      return `Run \`alter database ${sqlName(database)} reset synchronous_commit\`.`
    case 'database user':
      return `Run \`alter role ${sqlName(role)} in database ${sqlName(database)} reset synchronous_commit\`.`
    case 'client':
      return 'Remove synchronous_commit from `options` in DATABASE_URL, or from PGOPTIONS.'
    default:
      return 'Run `alter system set synchronous_commit = on`, then `select pg_reload_conf()`.'
  }
}
