import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'

const reason = 'The database cannot be reached: connect ECONNREFUSED.'

/** As a coordinator answers whose database has not answered yet. */
async function start(page: Page): Promise<void> {
  await page.route(/\/(services|changes|knowledge-graph)/, (route) =>
    route.fulfill({
      status: 503,
      json: {
        code: 'COORD_NOT_LOADED',
        detail: `The coordinator is connecting. ${reason}`,
        hint: 'Ask again.',
      },
    }),
  )
  await page.route(/\/health$/, async (route) => {
    const answer = await route.fetch()
    const known = (await answer.json()) as { readonly storage: object }
    const storage = { ...known.storage, reason, repair: 'Start the database.' }
    await route.fulfill({ response: answer, json: { ...known, status: 'starting', storage } })
  })
}

describe('console: while the coordinator starts', () => {
  itInBrowser(
    'says once why nothing is shown, promises nothing, and shows the records when they are there',
    () =>
      withConsole(
        async ({ page, open, faults, checkAccessible, picture }) => {
          faults.expect(/status of 503/)
          await start(page)
          await open()
          await page.getByRole('alert').getByText('The coordinator is starting.').waitFor()
          await page.getByText('The records are not read yet.').waitFor()
          expect(await page.getByText(reason).count()).toBe(1)
          expect(await page.getByText('durable').count()).toBe(0)
          expect(await page.getByText('live', { exact: true }).count()).toBe(0)
          await checkAccessible()
          await picture('starting')
          await page.unrouteAll({ behavior: 'wait' })
          // Nobody reloads the page.
          await page.getByRole('link', { name: '0 services' }).waitFor()
          expect(await page.getByRole('alert').count()).toBe(0)
        },
        { records: 'none', reducedMotion: 'reduce' },
      ),
  )
})
