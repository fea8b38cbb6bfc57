import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

/** As a browser does when somebody looks at another tab, and comes back. A page without a window is always visible. */
function look(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}

describe('console: changes as they happen', () => {
  itInBrowser('are followed only while somebody sees the tab, and what was missed follows', () =>
    withConsole(async ({ page, open, server }) => {
      const streams: string[] = []
      const note = (what: string) => (request: { url(): string; headers(): Record<string, string> }) => {
        if (request.headers()['accept'] === 'text/event-stream') streams.push(what)
      }
      page.on('request', note('begun'))
      page.on('requestfailed', note('ended'))
      await open()
      await shown(page, 'Overview')
      await page.getByText('live', { exact: true }).waitFor()
      expect(streams).toEqual(['begun'])
      await look(page, 'hidden')
      await expect.poll(() => streams).toEqual(['begun', 'ended'])
      const json = { serviceName: 'newcomer', version: '1.0.0', endpoint: 'http://new:1' }
      await server.ask('/register', { json })
      await look(page, 'visible')
      await page.locator('.commit').getByRole('link', { name: 'newcomer' }).waitFor()
      expect(streams).toEqual(['begun', 'ended', 'begun'])
    }),
  )
})
