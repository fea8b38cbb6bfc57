import { describe, expect, it } from 'vitest'
import { createCoordinator } from '../../src/coordinator.ts'
import { scrape } from '../telemetry/scrape.ts'
import { caughtUp, replicaServers, waitFor } from './with-replica.ts'

describe('what a coordinator shows of a real standby', () => {
  const servers = replicaServers()

  it('is that it answers, lags, is promoted, and is gone: in the metrics and in GET /database', async () => {
    const { store } = await servers.open({ replicaCheckMs: 100 })
    const coordinator = await createCoordinator({ store, port: 0 })
    await coordinator.start()
    try {
      const figure = async (name: string, labels = '') =>
        (await scrape(coordinator.metrics)).get(`coordinator_database_replica_${name}{replica="0"${labels}}`)
      const shown = async () => {
        const answer = await fetch(`${coordinator.url}/database`)
        const { replicas } = (await answer.json()) as { readonly replicas: readonly unknown[] }
        return replicas[0]
      }
      const host = `127.0.0.1:${servers.standby.port}`
      const register = async (version: string) => {
        const answer = await fetch(`${coordinator.url}/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ serviceName: 'cart', version, endpoint: 'http://cart:80' }),
        })
        expect(answer.ok).toBe(true)
      }

      await register('1.0.0')
      await caughtUp(servers.primary, servers.standby)
      await waitFor(async () => (await figure('revision')) === 1)
      expect([await figure('up'), await figure('lag_revisions')]).toEqual([1, 0])
      expect(await figure('role', ',role="standby"')).toBe(1)
      expect(await figure('connections', ',state="idle"')).toBeGreaterThanOrEqual(1)
      expect(await shown()).toMatchObject({ host, role: 'standby', state: 'answered', lagRevisions: 0 })

      await servers.standby.query('select pg_wal_replay_pause()')
      await waitFor(async () => {
        const [row] = await servers.standby.query<{ state: string }>(
          'select pg_get_wal_replay_pause_state() as state',
        )
        return row?.state === 'paused'
      })
      await register('1.0.1')
      await register('1.0.2')
      await waitFor(async () => (await figure('state', ',state="behind"')) === 1)
      expect(await figure('lag_revisions')).toBe(2)
      expect(await shown()).toMatchObject({ state: 'behind', revision: 1, lagRevisions: 2 })

      await servers.standby.query('select pg_wal_replay_resume()')
      await servers.standby.promote()
      await waitFor(async () => (await figure('role', ',role="primary"')) === 1)
      expect(await shown()).toMatchObject({ role: 'primary' })

      await servers.standby.stop()
      await waitFor(async () => (await figure('up')) === 0)
      expect(await figure('state', ',state="failed"')).toBe(1)
      expect(await shown()).toMatchObject({ host, failure: { code: 'COORD_STORE_UNAVAILABLE' } })
    } finally {
      await coordinator.stop()
    }
  })
})
