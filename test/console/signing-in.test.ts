import { describe, expect } from 'vitest'
import { type ConsoleSetup, itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

/** Everything that the browser has kept. */
const kept = () => JSON.stringify({ ...sessionStorage, ...localStorage }) + document.cookie

describe('console: signing in', () => {
  itInBrowser('is asked for where credentials are required, and leads to the page that was wanted', () =>
    withConsole(
      async ({ page, open, token = '', faults, checkAccessible, picture }) => {
        faults.tolerate(/status of 401/)
        await open('services?q=database')
        await shown(page, 'Sign in')
        await checkAccessible()
        await picture('sign-in-light-1280')
        await page.getByLabel('Token').fill('not a token')
        await page.keyboard.press('Enter')
        await page.getByRole('alert').filter({ hasText: 'COORD_' }).waitFor()
        await page.getByLabel('Token').fill(token)
        await page.keyboard.press('Enter')
        await shown(page, 'Services')
        await page.getByRole('link', { name: 'astronomy-db', exact: true }).waitFor()
        expect(page.url()).not.toContain(token)
        expect(await page.evaluate(kept)).not.toContain(token)
        // It is in memory only.
        await page.reload()
        await shown(page, 'Sign in')
      },
      { auth: true },
    ),
  )

  itInBrowser('stays in this tab if somebody wants that, until the sign-out', () =>
    withConsole(
      async ({ page, open, newPage, url, token = '', faults }) => {
        faults.tolerate(/status of 401/)
        await open()
        await page.getByLabel('Token').fill(token)
        await page.getByLabel('Stay signed in in this tab').check()
        await page.getByRole('button', { name: 'Sign in' }).click()
        await shown(page, 'Overview')
        await page.getByText('live', { exact: true }).waitFor()
        await page.reload()
        await shown(page, 'Overview')
        const other = await newPage()
        await other.goto(`${url}/console/`)
        await shown(other, 'Sign in')
        await page.getByRole('button', { name: 'Sign out' }).click()
        await shown(page, 'Sign in')
        expect(await page.evaluate(kept)).not.toContain(token)
      },
      { auth: true },
    ),
  )

  const prefix: ConsoleSetup = { auth: true, prefix: { path: '/tools/registry', strips: true } }
  itInBrowser('is not kept behind a prefix, where other programs could read it', () =>
    withConsole(async ({ page, open, token = '', faults }) => {
      faults.tolerate(/status of 401/)
      await open()
      await shown(page, 'Sign in')
      expect(await page.getByRole('checkbox').count()).toBe(0)
      await page.getByLabel('Token').fill(token)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await shown(page, 'Overview')
      expect(await page.evaluate(kept)).not.toContain(token)
    }, prefix),
  )

  itInBrowser('tells that a text is no token if a request cannot even carry it', () =>
    withConsole(
      async ({ page, open, token = '', faults }) => {
        faults.tolerate(/status of 401/)
        await open()
        for (const text of [`\u201c${token}\u201d`, `\u{1F511}`, `${token}\u200b`]) {
          await page.getByLabel('Token').fill(text)
          await page.keyboard.press('Enter')
          const alert = page.getByRole('alert').filter({ hasText: 'CONSOLE_TOKEN_MALFORMED' })
          await alert.waitFor()
          expect(await alert.textContent()).not.toContain(token)
        }
        await page.getByLabel('Token').fill(token)
        await page.keyboard.press('Enter')
        await shown(page, 'Overview')
      },
      { auth: true },
    ),
  )

  itInBrowser('is asked for again when the token counts no more', () =>
    withConsole(
      async ({ page, open, server, token = '', faults }) => {
        faults.tolerate(/status of 401/)
        const headers = { authorization: `Bearer ${token}` }
        const made = await server.ask('/tokens', { json: { name: 'guest', scopes: ['read'] }, headers })
        await open('services')
        await page.getByLabel('Token').fill(made.body.token)
        await page.getByRole('button', { name: 'Sign in' }).click()
        await shown(page, 'Services')
        await server.ask(`/tokens/${made.body.id}`, { method: 'DELETE', headers })
        await shown(page, 'Sign in')
        await page.getByRole('alert').filter({ hasText: 'COORD_' }).waitFor()
      },
      { auth: true },
    ),
  )
})
