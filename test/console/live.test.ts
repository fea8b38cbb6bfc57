import type { Locator, Page } from 'playwright-core'
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

describe('console: a change', () => {
  const later = { version: '1.0.0', endpoint: 'http://later:1', dependencies: ['cart'] }
  const pages: readonly [path: string, seen: (page: Page) => Locator][] = [
    ['', (page) => page.getByRole('link', { name: /^29 services$/ })],
    ['services', (page) => page.getByRole('link', { name: 'later', exact: true })],
    ['service?name=cart', (page) => page.getByRole('table', { name: /^It is needed by \(3\)/ })],
    ['graph?of=cart', (page) => page.locator('[data-drawn="7"]')],
    ['time', (page) => page.locator('[data-drawn="29"]')],
    ['time?from=28', (page) => page.locator('.graph-sentence', { hasText: '+ 1 node and 1 edge added' })],
    [
      'what-if?remove=service:cart',
      (page) => page.getByRole('heading', { name: /^Not safe: 3 services would/ }),
    ],
  ]
  for (const [path, seen] of pages)
    itInBrowser(`reaches the page ${path === '' ? 'Overview' : path} by itself`, () =>
      withConsole(async ({ page, open, server }) => {
        // Nothing is asked for from time to time: what comes now comes because of the change.
        await page.addInitScript(() => {
          window.setInterval = (() => 0) as unknown as typeof window.setInterval
        })
        await open(path)
        await expect.poll(() => page.locator('.state-loading').count()).toBe(0)
        await page.getByText('r28', { exact: true }).first().waitFor()
        expect(await seen(page).count()).toBe(0)
        await server.ask('/register', { json: { serviceName: 'later', ...later } })
        await seen(page).waitFor()
      }),
    )
})
