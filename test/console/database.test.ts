import { describe, expect } from 'vitest'
import { replicaReport, replicasOfEveryKind, someReads } from '../support/replica-report.ts'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

const connections = { idle: 1, used: 0, waiting: 0, max: 1 }
const withReplicas = {
  pool: () => ({ writer: connections, follower: connections, reader: connections }),
  replicas: () => replicaReport(replicasOfEveryKind, someReads),
}

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
    withConsole(async ({ page, open, server, faults, checkAccessible, picture }) => {
      // What the page asks meanwhile about the past.
      faults.tolerate(/status of 503/)
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

  itInBrowser('shows each replica, and what is wrong with it, in both themes and at every width', () =>
    withConsole(
      async ({ page, open, checkAccessible, picture }) => {
        await open('database')
        const list = page.getByRole('list', { name: 'Replicas' })
        await list.getByRole('listitem').nth(5).waitFor()
        const upToDate = expect.stringMatching(/^Last answer .+ ago, up to date$/)
        const parts = list
          .getByRole('listitem')
          .evaluateAll((items) =>
            items.map((item) => [...item.querySelectorAll('p')].map(({ textContent }) => textContent)),
          )
        expect(await parts).toEqual([
          ['0 10.0.0.2:5432 standbyanswers', upToDate],
          [
            '1 10.0.0.3:5432 standbybehind',
            expect.stringMatching(/^Last answer .+ ago, 3 revisions behind$/),
          ],
          [
            ...[
              '2 10.0.0.4:5432 standbyno answer',
              expect.stringMatching(/^Last answer .+ ago, then up to date$/),
            ],
            // What the driver says is shown as it is, and is no markup.
            'connect ECONNREFUSED <b>10.0.0.4</b> COORD_STORE_UNAVAILABLE',
          ],
          [
            '3 10.0.0.5:5432 standbyanother history: not read from',
            expect.stringMatching(/^Last answer .+ ago$/),
          ],
          [
            '4 10.0.0.6:5432answers',
            'This server is a primary: it was promoted, or was never a replica.',
            upToDate,
          ],
          ['5 10.0.0.7:5432not asked yet', 'It has never answered.'],
        ])
        await page.getByText('reads: 8 by replicas, 5 by the primary').waitFor()
        await page.getByRole('row', { name: 'replica 0 1 2 3 0', exact: true }).waitFor()
        await page.getByRole('row', { name: 'following 0 1 1 0', exact: true }).waitFor()
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          await checkAccessible()
          for (const width of [390, 1280, 1920]) {
            await page.setViewportSize({ width, height: 900 })
            await list.scrollIntoViewIfNeeded()
            await picture(`database-replicas-${width}-${colorScheme}`)
            const sideways = await page.evaluate(
              () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
            )
            expect(sideways).toBe(0)
          }
        }
      },
      { server: { figures: withReplicas } },
    ),
  )

  itInBrowser('lets the keyboard open what the fault of a replica means', () =>
    withConsole(
      async ({ page, open }) => {
        await open('database')
        await page.getByRole('list', { name: 'Replicas' }).getByRole('link').waitFor()
        const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
        for (let presses = 0; presses < 60 && (await focused()) !== 'COORD_STORE_UNAVAILABLE'; presses += 1)
          await page.keyboard.press('Tab')
        expect(await focused()).toBe('COORD_STORE_UNAVAILABLE')
        await page.keyboard.press('Enter')
        await page.waitForURL(/\/docs\/errors#COORD_STORE_UNAVAILABLE$/)
      },
      { server: { figures: withReplicas } },
    ),
  )

  itInBrowser('shows nothing of replicas where there are none', () =>
    withConsole(async ({ page, open }) => {
      await open('database')
      await page.getByRole('heading', { name: 'Last errors' }).waitFor()
      expect(await page.getByText(/replica/i).count()).toBe(0)
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
