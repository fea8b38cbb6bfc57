import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

describe('console: the page of the database', () => {
  itInBrowser('shows how long its operations take', () =>
    withConsole(async ({ page, open }) => {
      await open('database')
      await shown(page, 'Database')
      const row = page.getByRole('row', { name: /^commit / })
      expect(await row.textContent()).toMatch(/^commit\d+\d+.*ms.*ms.*ms$/)
      await page.getByText('None since the coordinator started.').waitFor()
    }),
  )

  itInBrowser('shows its faults with their codes, and what repairs them', () =>
    withConsole(async ({ page, open, server, checkAccessible, picture }) => {
      await open('database')
      await shown(page, 'Database')
      server.store.outage()
      await page
        .locator('.errors')
        .getByRole('link', { name: /^COORD_STORE_/ })
        .first()
        .waitFor()
      await page.locator('.database-state-bad').waitFor()
      await checkAccessible()
      await picture('database-fault')
      server.store.heal()
      await page.locator('.database-state-bad').waitFor({ state: 'detached' })
      const link = await page.locator('.errors a').first().getAttribute('href')
      await page.goto(link ?? '')
      expect(await page.locator(new URL(link ?? '').hash).count()).toBe(1)
    }),
  )

  itInBrowser('says which scope it needs', () =>
    withConsole(
      async ({ page, open, server, token = '', faults }) => {
        faults.tolerate(/status of 401/)
        const headers = { authorization: `Bearer ${token}` }
        const made = await server.ask('/tokens', { json: { name: 'reader', scopes: ['read'] }, headers })
        await open('database')
        await page.getByLabel('Token').fill(made.body.token)
        await page.getByRole('button', { name: 'Sign in' }).click()
        await page.getByText('This token may not see the database.').waitFor()
        await page.getByRole('navigation').getByRole('link', { name: 'Overview' }).click()
        await shown(page, 'Overview')
        await page.getByText('The last write is durable.').waitFor()
      },
      { auth: true },
    ),
  )
})
