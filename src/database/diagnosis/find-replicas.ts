import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from '../../config/settings.ts'
import type { Inspector } from '../inspector.ts'
import { REPLICA_PATIENCE_MS, type ReplicaInspection } from '../replicas.ts'
import { type Finding, flaw, ok } from './finding.ts'

/** What replicas are meant to answer, in the words of `DATABASE_REPLICA_READS`. */
export type ReplicaReads = Settings['databaseReplicaReads']

/** A replica as it answered. */
type Answered = Extract<ReplicaInspection, { readonly failure?: undefined }>

/** How often a replica that is behind is looked at: a busy machine may be late once. */
const LOOKS = 4

const check = 'replica'

/**
 * Whether the replicas can answer what they are meant to answer. Each read that a replica cannot answer goes elsewhere, so no flaw of a
 * replica keeps a coordinator from working.
 */
export async function findReplicas(
  inspector: Pick<Inspector, 'inspectReplicas'>,
  reads: ReplicaReads,
): Promise<readonly Finding[]> {
  const inspectReplicas = inspector.inspectReplicas?.bind(inspector)
  if (inspectReplicas === undefined) return []
  const first = await inspectReplicas()
  const late = await findLate(first, inspectReplicas)
  return first.flatMap((replica, index) => {
    // Numbered as in `coordinator status` and in the metrics.
    const name = `Replica ${index} (${replica.host})`
    return replica.failure === undefined
      ? judge(name, replica, { isLate: late.has(index), reads })
      : [failed(name, replica)]
  })
}

/**
 * The replicas that stay behind. A replica is late if it does not have, after the time that the store waits for it, what the primary had
 * before: the store then takes the newest reads elsewhere. A number of revisions would say little, because a busy database makes thousands
 * in that time.
 */
async function findLate(
  first: readonly ReplicaInspection[],
  inspectReplicas: () => Promise<readonly ReplicaInspection[]>,
): Promise<ReadonlySet<number>> {
  let before = first
  let late = [...first.keys()].filter((index) => revisionOf(first[index]) < wantedOf(first[index]))
  for (let look = 0; look < LOOKS && late.length > 0; look += 1) {
    await sleep(REPLICA_PATIENCE_MS)
    const now = await inspectReplicas()
    const wanted = before.map(wantedOf)
    late = late.filter((index) => revisionOf(now[index]) < (wanted[index] ?? 0))
    before = now
  }
  return new Set(late)
}

/** What a replica has. Infinity if it did not answer, which is another flaw. */
function revisionOf(replica: ReplicaInspection | undefined): number {
  return replica === undefined || replica.failure !== undefined
    ? Number.POSITIVE_INFINITY
    : replica.position.revision
}

/** What the primary had then. */
function wantedOf(replica: ReplicaInspection | undefined): number {
  return replica === undefined || replica.failure !== undefined
    ? 0
    : replica.position.revision + replica.lagRevisions
}

function failed(
  name: string,
  { failure }: Extract<ReplicaInspection, { readonly failure: object }>,
): Finding {
  if (failure.code === 'COORD_SCHEMA_OLD')
    return flaw(check, 'warning', {
      found: `${name} does not have the schema: it has not replayed the migration yet, or it copies another database.`,
      repair: 'If it stays so, name a standby of the database of DATABASE_URL in DATABASE_REPLICAS.',
    })
  return flaw(check, 'warning', {
    found: `${name}: ${failure.code}: ${failure.detail}`,
    repair: inReplicas(failure.repair),
  })
}

/** A hint about the primary, for a replica. */
function inReplicas(repair: string): string {
  return repair.replaceAll('DATABASE_URL', 'DATABASE_REPLICAS')
}

function judge(
  name: string,
  { standby, position, sameHistory, lagRevisions, keepsOldVersions, longestReadMs }: Answered,
  { isLate, reads }: { readonly isLate: boolean; readonly reads: ReplicaReads },
): readonly Finding[] {
  if (!sameHistory)
    return [
      flaw(check, 'problem', {
        found: `${name} has another history than the database of DATABASE_URL: nothing is read from it.`,
        repair:
          'Name a standby of that database in DATABASE_REPLICAS. After a failover, rebuild the old primary from the new one (`pg_rewind`, or a new base backup).',
      }),
    ]
  const findings: Finding[] = []
  if (!standby)
    findings.push(
      flaw(check, 'warning', {
        found: `${name} is a primary: reading from it takes no load off the primary.`,
        repair:
          'Name a standby in DATABASE_REPLICAS. If the roles of your servers change, name all of them in one URL without `target_session_attrs`: the coordinator then finds a standby among them.',
      }),
    )
  if (isLate)
    findings.push(
      flaw(check, 'warning', {
        found: `${name} is behind by ${lagRevisions} ${lagRevisions === 1 ? 'revision' : 'revisions'}, and stays behind for longer than a read waits for it (${REPLICA_PATIENCE_MS} ms): reads go elsewhere.`,
        repair:
          'Run `select * from pg_stat_replication` on the primary: it shows how far the standby has received and replayed. On the standby, `select pg_is_wal_replay_paused()` says whether somebody stopped it.',
      }),
    )
  const isLong = reads.includes('load') || reads.includes('asOf')
  if (standby && isLong && !keepsOldVersions && longestReadMs >= 0)
    findings.push(
      flaw(check, 'warning', {
        found: `${name} may end long reads: hot_standby_feedback is off, and replay waits for reads for ${longestReadMs} ms at most (max_standby_streaming_delay). Such a read begins again elsewhere.`,
        repair:
          'On that server run `alter system set hot_standby_feedback = on`, then `select pg_reload_conf()`. With Patroni, run `patronictl edit-config -p \'hot_standby_feedback="on"\'` in their place, for all members at once. The primary then keeps old row versions for as long as the standby reads them.',
      }),
    )
  return findings.length > 0
    ? findings
    : [ok(check, `${name} is a standby, at revision ${position.revision}.`)]
}
