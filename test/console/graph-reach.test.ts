import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'

describe('console: the pages of the graph', () => {
  itInBrowser('work behind a prefix and with a token: workers, the map, the simulation', () =>
    withConsole(
      async ({ page, open, faults, token = '' }) => {
        faults.tolerate(/status of 401/)
        await open('graph?of=cart')
        await page.getByLabel('Token').fill(token)
        await page.keyboard.press('Enter')
        await page.locator('.focus-view[data-drawn="6"]').waitFor()
        await page.getByRole('link', { name: 'Map', exact: true }).click()
        await page.locator('.map-view[data-drawn="4"]').waitFor()
        await page.getByRole('navigation').getByRole('link', { name: 'Time', exact: true }).click()
        await page.locator('.focus-view[data-drawn="28"]').waitFor()
        await page.getByRole('navigation').getByRole('link', { name: 'What if', exact: true }).click()
        await page.getByRole('combobox', { name: 'Which service is removed' }).fill('cart')
        await page.keyboard.press('Enter')
        await page.getByRole('heading', { name: 'Not safe: 2 services would lose what they need.' }).waitFor()
      },
      { auth: true, prefix: { path: '/tools/registry', strips: true } },
    ),
  )

  itInBrowser('keep the drawing while the coordinator is away, and draw what came meanwhile', () =>
    withConsole(async ({ server, page, open, goAway, comeBack, faults }) => {
      faults.tolerate(/ERR_CONNECTION|Failed to load resource/)
      await open('graph?of=cart')
      await page.locator('[data-drawn="6"]').waitFor()
      await goAway()
      await page.getByText('does not answer').first().waitFor()
      expect(await page.locator('.node').count()).toBe(6)
      const json = {
        serviceName: 'loyalty',
        version: '1.0.0',
        endpoint: 'http://x:1',
        dependencies: ['cart'],
      }
      await server.ask('/register', { json })
      await comeBack()
      await page.locator('[data-drawn="7"]').waitFor()
      await page.locator('[data-node="service:loyalty"]').waitFor()
    }),
  )

  itInBrowser('begin another question at its own drawing, even if its answer takes a while', () =>
    withConsole(async ({ page, open }) => {
      await open('graph')
      await page.locator('.focus-view:not([data-drawn="0"])').waitFor()
      await page.getByRole('link', { name: 'Who breaks', exact: true }).click()
      await page.getByText('Choose a node.').waitFor()
      // Meanwhile the drawing of the question before is shown, and laid out again.
      await page.route(/\/knowledge-graph/, async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 700))
        await route.continue()
      })
      await page.getByRole('combobox', { name: 'Search in the graph' }).fill('flagd-ui')
      await page.locator('.node-search-option').click()
      await page.locator('.graph-sentence', { hasText: 'If flagd-ui fails' }).waitFor()
      await page.locator('.node.centre', { hasText: 'flagd-ui' }).waitFor()
      const gaps = await page.evaluate(() => {
        const [world, frame] = ['.world', '.focus-drawing'].map((part) =>
          document.querySelector(part)?.getBoundingClientRect(),
        )
        return [(world?.left ?? 0) - (frame?.left ?? 0), (frame?.right ?? 0) - (world?.right ?? 0)]
      })
      // It fits at its first size, so it stands in the middle.
      for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(0)
      expect(Math.abs((gaps[0] ?? 0) - (gaps[1] ?? 0))).toBeLessThan(60)
    }),
  )
})
