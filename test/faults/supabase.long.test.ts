import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { FaultProxy, httpAnswer, httpPage } from '../support/fault-proxy.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { damageOn, runFaults, times, until } from './fault-run.ts'

const commit = '_commit'

it('supabase: cuts, gateway pages, broken JSON, half-open and refused connections and kills cost no acknowledged write and no read', async () => {
  await using project = await SupabaseProject.start({ config: { fsync: 'on' } })
  await using proxy = await FaultProxy.start(project.api.port)
  const env = {
    SUPABASE_URL: proxy.url,
    SUPABASE_SECRET_KEY: project.keys.secretKey,
    // Shorter than the longest outages, so that clients meet 503 too.
    COMMIT_TIMEOUT_MS: '1500',
  }
  const halfAnswer = httpAnswer(200, '{"status":"ok","results":[{"outc').replace(/content-length.*\r\n/, '')
  const run = await runFaults({ env, database: () => project.server }, async ({ back }) => {
    const damage = damageOn(proxy, back)
    await damage(30, { matching: commit, fault: { do: 'lose reply' } })
    await damage(5, { matching: commit, fault: { do: 'cut reply', afterBytes: 40 } })
    await damage(10, { matching: commit, fault: { do: 'cut reply', afterBytes: 300 } })
    await damage(10, { matching: commit, fault: { do: 'cut request' } })
    await damage(5, { matching: '_changes', fault: { do: 'cut reply', afterBytes: 300 } })
    for (const bytes of [
      ...[httpPage(502), httpPage(520), httpPage(503), halfAnswer, httpAnswer(402, '{}')],
      httpAnswer(503, '{"code":"PGRST000"}', { 'retry-after': '32' }),
      httpAnswer(503, '{"code":"PGRST002"}'),
    ])
      await damage(5, { matching: commit, fault: { do: 'answer', bytes } })
    await damage(2, {
      matching: commit,
      fault: { do: 'answer', bytes: httpAnswer(429, '{}', { 'retry-after': '1' }) },
    })
    await damage(2, { matching: commit, fault: { do: 'hang' } })
    await times(5, 300, async () => {
      proxy.strand()
      await sleep(50)
      await back('every connection half-open')
    })
    for (const ms of [300, 1_000, 3_000]) {
      await proxy.refuse()
      await sleep(ms)
      await proxy.listen()
      await back('refused')
    }
    await times(4, 100, async () => {
      await project.api.stop()
      await sleep(Math.random() * 500)
      await project.api.start()
      await back('kill -9 of the Data API')
    })
    await times(20, 100, async () => {
      await project.server.kill()
      await sleep(Math.random() * 500)
      await project.server.start()
      // Its own pool looks for the database at intervals that grow. On a busy machine it was seen to hang as well, with
      // connections that it had begun and did not go on with: then it is started anew.
      await foundAgain(project).catch(async () => {
        await project.api.stop()
        await project.api.start()
        await foundAgain(project)
      })
      await back('kill -9 of PostgreSQL')
    })
  })
  expect(proxy.faults).toBeGreaterThanOrEqual(80)
  for (const kind of ['refused', 'kill -9 of the Data API', 'kill -9 of PostgreSQL'])
    for (const ms of run.recoveries.get(kind) ?? []) expect(ms, kind).toBeLessThan(2_000)
  for (const kind of ['hang', 'every connection half-open']) {
    const all = (run.recoveries.get(kind) ?? []).toSorted((a, b) => a - b)
    expect(all[Math.floor((all.length - 1) / 2)], kind).toBeLessThan(2_000)
    for (const ms of all) expect(ms, kind).toBeLessThan(5_000)
  }
}, 360_000)

/**
 * Waits until the Data API has its database again, by asking it past the proxy: more at once than it has connections, each of
 * which comes back by itself. One that answers does not yet mean all.
 */
async function foundAgain({ api, keys }: SupabaseProject): Promise<void> {
  let last = ''
  const answers = async () => {
    const answer = await fetch(`${api.url}/rest/v1/rpc/coordinator_head`, {
      method: 'POST',
      headers: { apikey: keys.secretKey, 'content-type': 'application/json' },
      body: '{"p":{}}',
      signal: AbortSignal.timeout(1_000),
    }).then((response) => response.text(), String)
    if (answer.includes('lineage')) return true
    last = answer
    return false
  }
  await until(
    () => `the Data API has found its database again (last: ${last})`,
    async () => (await Promise.all(Array.from({ length: 20 }, answers))).every(Boolean),
    10_000,
  )
}
