import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

describe('console: the page Access', () => {
  itInBrowser('makes a token, shows it once, and revokes it, by keyboard alone', () =>
    withConsole(
      async ({ page, open, server, token = '', faults, checkAccessible, picture }) => {
        faults.tolerate(/status of 401/)
        await open('services')
        await page.getByLabel('Token').fill(token)
        await page.keyboard.press('Enter')
        await shown(page, 'Services')
        await page.getByRole('navigation').getByRole('link', { name: 'Access' }).click()
        await shown(page, 'Access')
        await page.getByLabel('Name', { exact: true }).focus()
        await page.keyboard.type('my-cart')
        await page.getByLabel('Services that it may register').focus()
        await page.keyboard.type('cart shop/*')
        await page.keyboard.press('Enter')
        await page.getByText('it is shown only this once').waitFor()
        const made = (await page.locator('.made .copy-text').textContent()) ?? ''
        const asked = await server.ask('/access', { headers: { authorization: `Bearer ${made}` } })
        expect([asked.body.actor, asked.body.scopes]).toEqual([
          'token:my-cart',
          ['read', 'register:cart', 'register:shop/*'],
        ])
        await checkAccessible()
        await picture('access-token')
        await page.getByRole('button', { name: 'I have copied it' }).press('Enter')
        expect(await page.content()).not.toContain(made)
        await page.getByRole('button', { name: 'Revoke my-cart' }).press('Enter')
        await page.getByRole('button', { name: 'Revoke my-cart for ever' }).press('Enter')
        await page.getByRole('row', { name: /^my-cart revoked/ }).waitFor()
        const refused = await server.ask('/access', { headers: { authorization: `Bearer ${made}` } })
        expect(refused.status).toBe(401)
      },
      { auth: true },
    ),
  )

  itInBrowser('says what is needed to somebody who may not administer', () =>
    withConsole(
      async ({ page, open, server, token = '', faults }) => {
        faults.tolerate(/status of 401/)
        const headers = { authorization: `Bearer ${token}` }
        const made = await server.ask('/tokens', { json: { name: 'reader', scopes: ['read'] }, headers })
        await open('access')
        await page.getByLabel('Token').fill(made.body.token)
        await page.getByRole('button', { name: 'Sign in' }).click()
        await page.getByText('you need a token with the scope admin').waitFor()
        expect(await page.getByRole('button', { name: 'Create the token' }).count()).toBe(0)
      },
      { auth: true },
    ),
  )

  itInBrowser('shows why a token was not made', () =>
    withConsole(async ({ page, open, faults }) => {
      faults.expect(/status of 422|status of 400/)
      await open('access')
      await shown(page, 'Access')
      await page.getByLabel('Name', { exact: true }).fill('second')
      await page.getByLabel('Valid for').fill('yesterday')
      await page.getByRole('button', { name: 'Create the token' }).click()
      await page.getByRole('alert').filter({ hasText: 'COORD_' }).waitFor()
      await page.locator('.form-errors', { hasText: '/expires' }).waitFor()
    }),
  )
})
