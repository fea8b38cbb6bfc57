import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'

describe('console: the page Graph with 10,000 services', () => {
  itInBrowser(
    'draws a part that can be read, counts the rest, and makes groups of everything',
    () =>
      withConsole(
        async ({ page, open, picture }) => {
          await open('graph')
          await page.locator('.board-shown', { hasText: /^\d+ of 10,000 shown$/ }).waitFor()
          await open('graph?show=impact&of=checkout-api-0')
          await page.locator('.board-shown', { hasText: /^\d+ of 10,000 shown$/ }).waitFor()
          await page.locator('[data-drawn]:not([data-drawn="0"])').waitFor()
          expect(await page.locator('.node').count()).toBeLessThanOrEqual(200)
          expect(await page.locator('.edge').count()).toBeLessThanOrEqual(320)
          expect(await page.locator('.more').count()).toBeGreaterThan(0)
          await open('graph?show=map&groupBy=tag')
          await page.locator('.map-view[data-drawn="7"]').waitFor()
          await page
            .getByRole('region', { name: 'Groups as a table' })
            .getByRole('button', { name: 'critical' })
            .click()
          // The 100 nodes of the group, and those at the far ends of their edges, beside the six other groups.
          await page.getByRole('button', { name: 'critical (open)' }).waitFor()
          await page.locator('.map-view[data-drawn="106"]').waitFor()
          await picture('graph-thousands')
        },
        { records: 'thousands' },
      ),
    120_000,
  )
})
