import { describe, expect, it } from 'vitest'
import { renderStatus } from '../../src/cli/render-status.ts'
import { withServer } from '../http/with-server.ts'
import { replicaReport, replicasOfEveryKind, someReads } from '../support/replica-report.ts'

const secondsAgo = (seconds: number) => Date.now() - seconds * 1_000

/** The rows of replicas as `coordinator status` shows them, by the answer of a coordinator. */
async function rowsOf(report: ReturnType<typeof replicaReport>, wide = false): Promise<string[]> {
  let rows: string[] = []
  await withServer(
    async ({ ask }) => {
      const { body: database } = await ask('/database')
      const lines = renderStatus({ url: 'http://x', health: { status: 'ok' }, database }, wide).split('\n')
      const first = lines.indexOf('Replicas') + 1
      rows = first === 0 ? [] : lines.slice(first, lines.indexOf('', first))
    },
    { figures: { replicas: () => report } },
  )
  return rows
}

describe('coordinator status: replicas', () => {
  it('say what each is, how far it is behind, when it answered, and what is wrong with it', async () => {
    const answeredAt = secondsAgo(2)
    const replicas = replicasOfEveryKind.map((replica) =>
      replica.answeredAt === 0 ? replica : { ...replica, answeredAt },
    )
    const since = new Date(answeredAt).toISOString()
    expect(
      (await rowsOf(replicaReport(replicas, someReads))).map((row) =>
        row.replace(/\b[2-9] s ago/, '2 s ago'),
      ),
    ).toEqual([
      '  replica 0  10.0.0.2:5432, standby, up to date, answered 2 s ago',
      '  replica 1  10.0.0.3:5432, standby, 3 revisions behind, answered 2 s ago',
      `  replica 2  10.0.0.4:5432: no answer since ${since}. connect ECONNREFUSED <b>10.0.0.4</b> [COORD_STORE_UNAVAILABLE]`,
      '  replica 3  10.0.0.5:5432, standby, ANOTHER HISTORY (not read from), answered 2 s ago',
      '  replica 4  10.0.0.6:5432, PRIMARY (promoted, or never a replica), up to date, answered 2 s ago',
      '  replica 5  10.0.0.7:5432, not asked yet',
      '  reads      8 by replicas, 5 by the primary',
    ])
  })

  it('say for each kind of read why replicas were passed over, and show their connections, if everything is asked for', async () => {
    const [healthy] = replicasOfEveryKind
    const rows = await rowsOf(replicaReport(healthy === undefined ? [] : [healthy], someReads), true)
    expect(rows.slice(1).map((row) => row.trim().replaceAll(/ {2,}/g, ': '))).toEqual([
      'reads: 8 by replicas, 5 by the primary',
      'load: 1 by replicas, 0 by the primary; passed over: 0 behind, 0 with another history, 0 failed',
      'as_of: 7 by replicas, 5 by the primary; passed over: 2 behind, 3 with another history, 4 failed',
      'history: 0 by replicas, 0 by the primary; passed over: 0 behind, 0 with another history, 0 failed',
      'connections to 0: 1 used, 2 idle of 3; 0 waiting',
    ])
  })

  it('are left out where there are none', async () => {
    await withServer(async ({ ask }) => {
      const { body: database } = await ask('/database')
      const text = renderStatus({ url: 'http://x', health: { status: 'ok' }, database }, true)
      expect(text).not.toMatch(/replica/i)
    })
  })
})
