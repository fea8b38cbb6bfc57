import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { manyServices } from './browser/records.ts'
import { type ConsoleScope, itInBrowser, withConsole } from './browser/with-console.ts'

describe('console: how fast the drawings are', () => {
  itInBrowser('draws a map of 1,000 nodes within 2 s of its answer, without a graphics card', () =>
    withConsole(
      async (scope) => {
        await register(scope, 1_000)
        await scope.open('graph?show=map&groupBy=none')
        const ms = await sinceAnswer(scope.page, '.map-view[data-drawn="1000"]')
        console.log(`map of 1,000 nodes: ${Math.round(ms)} ms after the answer`)
        expect(ms).toBeLessThan(2_000)
      },
      { records: 'none' },
    ),
  )

  itInBrowser('lays out and draws 200 nodes within 1.5 s of the answer', () =>
    withConsole(
      async (scope) => {
        await register(scope, 1_000)
        await scope.open('graph?show=impact&of=checkout-api-0')
        const ms = await sinceAnswer(scope.page, '.focus-view[data-drawn]:not([data-drawn="0"])')
        const nodes = await scope.page.locator('.node').count()
        console.log(`focus of ${nodes} nodes: ${Math.round(ms)} ms after the answer`)
        expect(nodes).toBeGreaterThan(120)
        expect(ms).toBeLessThan(1_500)
      },
      { records: 'none' },
    ),
  )

  itInBrowser('keeps its memory while the graph changes many times', () =>
    withConsole(async ({ server, page, open, context }) => {
      await open('graph?of=cart')
      await page.locator('[data-drawn="6"]').waitFor()
      const session = await context.newCDPSession(page)
      const used = async () => {
        await session.send('HeapProfiler.collectGarbage')
        return (await session.send('Runtime.getHeapUsage')).usedSize
      }
      const change = async (round: number) => {
        const label = `flagd ${round}`
        await server.ask('/knowledge-graph/nodes/service:flagd', { method: 'PUT', json: { label } })
        await page.locator('[data-node="service:flagd"] .label', { hasText: label }).waitFor()
      }
      for (let round = 0; round < 4; round += 1) await change(round)
      const before = await used()
      for (let round = 4; round < 16; round += 1) await change(round)
      const grown = (await used()) - before
      console.log(`grown by ${Math.round(grown / 1024)} KiB in 12 changes`)
      expect(grown).toBeLessThan(2 * 1024 * 1024)
    }),
  )
})

async function register({ server }: ConsoleScope, count: number): Promise<void> {
  const services = manyServices(count)
  for (let at = 0; at < count; at += 500)
    await server.ask('/register/batch', { json: services.slice(at, at + 500) })
}

/** The milliseconds between the last byte of the graph and the drawing, by the clock of the page. */
async function sinceAnswer(page: Page, drawn: string): Promise<number> {
  return page.evaluate(async (selector) => {
    while (document.querySelector(selector) === null) await new Promise(requestAnimationFrame)
    const asked = performance
      .getEntriesByType('resource')
      .filter(({ name }) => new URL(name).pathname.endsWith('/knowledge-graph'))
    const answered = Math.max(...asked.map((entry) => (entry as PerformanceResourceTiming).responseEnd))
    return performance.now() - answered
  }, drawn)
}
