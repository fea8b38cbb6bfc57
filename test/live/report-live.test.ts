import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { reportLive } from '../../src/live/report-live.ts'
import { createLogger } from '../../src/telemetry/logging.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { until, withLive } from '../support/with-live.ts'

type Line = Record<string, unknown>

describe('the log of the live layer', () => {
  it('has the code of the fault while there is one, and not when the database answers again', () =>
    withLive(
      async ({ live, store }) => {
        const lines: Line[] = []
        const destination = new PassThrough()
        destination.on('data', (chunk: Buffer) =>
          lines.push(
            ...chunk
              .toString()
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line) as Line),
          ),
        )
        const logger = await createLogger({ level: 'debug', format: 'json', destination })
        const metrics = createMetrics({ backend: store.backend, process: false })
        live.observe(reportLive(logger, metrics.live))
        await live.start()
        store.outage()
        await until(() => live.status.state === 'degraded')
        store.heal()
        await until(() => live.status.state === 'ready')
        await until(() => lines.some(({ msg }) => msg === 'the coordinator is no longer degraded'))
        const about = (msg: string) => lines.filter((line) => line['msg'] === msg)
        expect(about('the coordinator is degraded: it serves what it has loaded')[0]).toMatchObject({
          level: 'warn',
          state: 'degraded',
          code: 'COORD_STORE_UNAVAILABLE',
        })
        expect(about('the coordinator is no longer degraded')).toEqual([
          {
            time: expect.any(String),
            level: 'info',
            state: 'ready',
            msg: 'the coordinator is no longer degraded',
          },
        ])
      },
      { started: false },
    ))
})
