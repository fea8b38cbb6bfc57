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
  strike(cluster: PatroniCluster, roles: Roles): Promise<Repair>
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
    name: 'the primary hangs',
    failsOver: true,
    async strike(_cluster, { leader }) {
      leader.freeze()
      return () => leader.resume()
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
    name: 'commits that wait for the standby are cancelled, then the primary is killed',
    failsOver: true,
    async strike(_cluster, { leader }) {
      const senders = await cancelWaits(leader)
      await leader.killPatroni()
      leader.killPostgres()
      // Stopped processes do not end with the server. Going on, they would send what must not arrive.
      signalAll(senders, 'SIGKILL')
      return () => leader.start()
    },
  },
]

/**
 * The standbys get nothing any more, so that every commit waits, and each wait is cancelled: PostgreSQL then says that the commit is done,
 * and only a warning tells that no standby has it. Answers the processes that send to the standbys; they are stopped.
 */
async function cancelWaits(leader: Member): Promise<readonly number[]> {
  const rows = await leader.query<{ pid: number }>('select pid from pg_stat_replication')
  const senders = rows.map(({ pid }) => pid)
  signalAll(senders, 'SIGSTOP')
  let cancelled = 0
  for (let time = 0; time < 20; time += 1) {
    const waits = await leader.query(
      `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and usename = 'coordinator'`,
    )
    cancelled += waits.length
    await sleep(100)
  }
  if (cancelled === 0) throw new Error('No commit waited for the standby.')
  return senders
}
