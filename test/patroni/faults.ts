import { setTimeout as sleep } from 'node:timers/promises'
import type { Member } from './member.ts'
import type { PatroniCluster, Roles } from './patroni-cluster.ts'
import { signalAll } from './program.ts'

/** Makes well again what a fault has damaged. */
type Repair = () => Promise<void> | void

export interface FaultKind {
  readonly name: string
  /** Whether another member becomes the primary, which is waited for before the repair. @default false */
  readonly failsOver?: boolean
  /** How long it lasts, in milliseconds, where nobody waits for another primary. @default 0 */
  readonly lastsMs?: number
  /** Whether the standby is not well meanwhile, so that the primary needs another one. @default false */
  readonly takesStandby?: boolean
  /** @param acknowledged how many writes were acknowledged so far */
  strike(cluster: PatroniCluster, roles: Roles, acknowledged: () => number): Promise<Repair>
}

const nothing: Repair = () => undefined

/** What happens to clusters, each at a moment in which the cluster is well. */
export const faultKinds: readonly FaultKind[] = [
  {
    name: 'PostgreSQL of the primary killed',
    async strike(_cluster, { leader }) {
      leader.killPostgres()
      return nothing
    },
  },
  {
    name: 'Patroni and PostgreSQL of the primary killed',
    failsOver: true,
    async strike(_cluster, { leader }) {
      await leader.killPatroni()
      leader.killPostgres()
      return () => leader.start()
    },
  },
  {
    name: 'Patroni of the primary killed, PostgreSQL goes on',
    failsOver: true,
    async strike(_cluster, { leader }) {
      await leader.killPatroni()
      return () => leader.start()
    },
  },
  {
    // By its watchdog. Without one, Patroni before 3.0.3 may go on after `ttl`, and take the key of the leader back from the new one (its pull
    // request 2689). What was written meanwhile is then lost.
    name: 'the primary hangs, and is reset',
    failsOver: true,
    async strike(_cluster, { leader }) {
      leader.freeze()
      return () => leader.reset()
    },
  },
  {
    name: 'the synchronous standby hangs',
    takesStandby: true,
    async strike(_cluster, { syncStandby }) {
      syncStandby.freeze()
      return () => syncStandby.resume()
    },
  },
  {
    name: 'etcd hangs for 8 s',
    lastsMs: 8_000,
    async strike(cluster) {
      cluster.freezeEtcd()
      return () => cluster.resumeEtcd()
    },
  },
  {
    name: 'etcd killed, back after 5 s',
    lastsMs: 5_000,
    async strike(cluster) {
      await cluster.killEtcd()
      return () => cluster.startEtcd()
    },
  },
  {
    name: 'switchover',
    failsOver: true,
    async strike(_cluster, { leader, syncStandby }) {
      const wish = { leader: leader.name, candidate: syncStandby.name }
      const answer = await leader.ask('/switchover', wish)
      if (!answer?.ok) throw new Error(`No switchover: ${answer?.status} ${await answer?.text()}`)
      return nothing
    },
  },
  {
    name: 'no bytes between coordinators and the primary for 6 s',
    lastsMs: 6_000,
    async strike(_cluster, { leader }) {
      leader.line.freeze()
      return () => leader.line.heal()
    },
  },
  {
    name: 'the primary cut off from etcd',
    failsOver: true,
    async strike(_cluster, { leader }) {
      await leader.etcdLine.cut()
      return () => leader.etcdLine.mend()
    },
  },
  {
    name: 'the standbys get nothing for a while, and commits that wait for them are cancelled',
    async strike(_cluster, { leader }, acknowledged) {
      const rows = await leader.query<{ pid: number }>('select pid from pg_stat_replication')
      const senders = rows.map(({ pid }) => pid)
      signalAll(senders, 'SIGSTOP')
      await cancelWaits(leader, acknowledged)
      return () => signalAll(senders, 'SIGCONT')
    },
  },
]

/**
 * Cancels every commit that waits for a standby. PostgreSQL then says that it is done, and only a warning tells that no standby has it, so
 * nobody may be told that it succeeded.
 *
 * @param acknowledged how many writes clients were told to have succeeded
 */
async function cancelWaits(leader: Member, acknowledged: () => number): Promise<void> {
  // What was on its way when the standbys were cut off.
  await sleep(1_000)
  const before = acknowledged()
  let cancelled = 0
  for (let time = 0; time < 20; time += 1) {
    const waits = await leader.query(
      `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and usename = 'coordinator'`,
    )
    cancelled += waits.length
    await sleep(100)
  }
  if (cancelled === 0) throw new Error('No commit waited for the standby.')
  const told = acknowledged() - before
  if (told > 0) throw new Error(`${told} writes were acknowledged that no standby has.`)
}
