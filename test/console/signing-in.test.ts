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

  itInBrowser('shows commands that send the token from a variable, and never the token', () =>
    withConsole(
      async ({ page, open, token = '', faults }) => {
        faults.tolerate(/status of 401/)
        await open('what-if?remove=service:flagd')
        await page.getByLabel('Token').fill(token)
        await page.keyboard.press('Enter')
        await page.getByText('Not safe').waitFor()
        const commands = await page.locator('.copy-text').allTextContents()
        expect(commands[0]).toMatch(/^curl -H "Authorization: Bearer \$COORDINATOR_TOKEN" http/)
        expect(commands.join()).not.toContain(token)
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

  itInBrowser(
    'says why a token is refused, also where the page gives up questions that are being refused',
    () =>
      withConsole(
        async ({ page, open, server, token = '', faults }) => {
          faults.tolerate(/status of 401/)
          const headers = { authorization: `Bearer ${token}` }
          const made = await server.ask('/tokens', { json: { name: 'guest', scopes: ['read'] }, headers })
          await page.addInitScript(stallRefusals)
          await open('services')
          await page.getByLabel('Token').fill(made.body.token)
          await page.getByRole('button', { name: 'Sign in' }).click()
          await shown(page, 'Services')
          await page.evaluate(() => Reflect.set(window, 'stalls', true))
          await server.ask(`/tokens/${made.body.id}`, { method: 'DELETE', headers })
          await page.getByRole('navigation').getByRole('link', { name: 'Overview', exact: true }).click()
          await shown(page, 'Sign in')
          await expect.poll(() => page.evaluate(() => Reflect.get(window, 'givenUp'))).toBeGreaterThan(0)
          expect(await page.getByRole('alert').textContent()).toContain('COORD_CREDENTIAL_REVOKED')
        },
        { auth: true },
      ),
  )
})

/** In the page: as soon as `window.stalls`, every 401 but that of the health stops before its body, until the page gives it up. */
function stallRefusals(): void {
  const ask = window.fetch
  Reflect.set(window, 'givenUp', 0)
  window.fetch = async (input, init) => {
    const response = await ask(input, init)
    const { status, headers, url } = response
    if (status !== 401 || url.endsWith('/health') || Reflect.get(window, 'stalls') !== true) return response
    const body = new ReadableStream({
      start(controller) {
        init?.signal?.addEventListener('abort', () => {
          controller.error(init.signal?.reason)
          // After everything that the page does about it.
          setTimeout(() => Reflect.set(window, 'givenUp', Number(Reflect.get(window, 'givenUp')) + 1), 100)
        })
      },
    })
    return new Response(body, { status, headers })
  }
}
