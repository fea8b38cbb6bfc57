import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect } from 'vitest'
import { withServer } from '../http/with-server.ts'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

const service = (serviceName: string, more = {}) => ({
  json: { serviceName, version: '1.0.0', endpoint: `http://${serviceName}:80`, ...more },
})

describe('console: the overview', () => {
  itInBrowser('says whether the last write is durable, where it is, and who wrote it', () =>
    withConsole(async ({ page, open }) => {
      await open()
      await shown(page, 'Overview')
      await page.getByText('The last write is durable.').waitFor()
      const first = page.locator('.commit').first()
      await first.getByRole('link', { name: 'valkey-cart' }).waitFor()
      expect(await first.textContent()).toMatch(/registered valkey-cart.*by http:127\.0\.0\.1.*r28/)
    }),
  )

  itInBrowser('shows changes at once, the removed ones by their names', () =>
    withConsole(async ({ page, open, server }) => {
      await open()
      await page.getByText('live', { exact: true }).waitFor()
      const { body } = await server.ask('/register', service('newcomer', { dependencies: ['nobody'] }))
      await page.locator('.commit').getByRole('link', { name: 'newcomer' }).waitFor()
      await page.getByRole('link', { name: /^29 services$/ }).waitFor()
      await page.getByRole('link', { name: /^1 unresolved dependency$/ }).waitFor()
      await page.getByText('1 dependency that nobody has registered').waitFor()
      await page.getByRole('link', { name: 'See who needs nobody' }).waitFor()
      await server.ask(`/services/${body.serviceId}`, { method: 'DELETE' })
      await page.locator('.commit', { hasText: 'removed newcomer' }).waitFor()
      await page.getByRole('link', { name: /^0 unresolved dependencies$/ }).waitFor()
    }),
  )

  itInBrowser('shows the changes of another history only, once the coordinator came back with one', () =>
    withConsole(async ({ page, open, server, goAway, comeBack, faults }) => {
      faults.tolerate(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|status of 4/)
      await open()
      await page.getByText('live', { exact: true }).waitFor()
      await server.ask('/register', service('before'))
      await page.locator('.commit').getByRole('link', { name: 'before' }).waitFor()
      await withServer(async (other) => {
        await other.ask('/register', service('after'))
        await goAway()
        await comeBack(other.port)
        await page.locator('.commit').getByRole('link', { name: 'after' }).waitFor()
        await expect.poll(() => page.locator('.commit').count()).toBe(1)
        await page.getByText('live', { exact: true }).waitFor()
        await other.ask('/register', service('later'))
        await page.locator('.commit').getByRole('link', { name: 'later' }).waitFor()
        expect(await page.locator('.commit').count()).toBe(2)
        await goAway()
      })
    }),
  )

  itInBrowser('names what is down, with a way to the list', () =>
    withConsole(async ({ page, open, server }) => {
      const { body } = await server.ask('/services?name=cart')
      const path = `/services/${body.services[0].serviceId}/heartbeat`
      await server.ask(path, { method: 'PUT', json: { status: 'down' } })
      await open()
      await shown(page, 'Overview')
      const problem = page.locator('.problem').first()
      expect(await problem.textContent()).toContain('1 service down')
      await problem.getByRole('link', { name: 'List what is down' }).click()
      await shown(page, 'Services')
      expect(await page.locator('tbody .service-name').allTextContents()).toEqual(['cart'])
    }),
  )

  itInBrowser('finds a service by keyboard alone', () =>
    withConsole(async ({ page, open, checkAccessible, picture }) => {
      await open()
      await shown(page, 'Overview')
      await page.keyboard.press('/')
      await page.keyboard.type('database')
      await page.getByRole('link', { name: /^astronomy-db/ }).waitFor()
      await checkAccessible()
      await picture('overview-search')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await shown(page, 'astronomy-db')
      await page.goBack()
      await shown(page, 'Overview')
      await page.keyboard.press('/')
      await page.keyboard.type('database')
      await page.keyboard.press('Enter')
      await shown(page, 'Services')
      expect(new URL(page.url()).searchParams.get('q')).toBe('database')
    }),
  )

  itInBrowser('opens the service at Enter if only one matches, even before its answer is there', () =>
    withConsole(async ({ page, open }) => {
      for (const wait of [true, false]) {
        await open()
        await shown(page, 'Overview')
        await page.keyboard.press('/')
        await page.keyboard.type('astronomy')
        if (wait) await page.getByRole('link', { name: /^astronomy-db/ }).waitFor()
        await page.keyboard.press('Enter')
        await shown(page, 'astronomy-db')
      }
      await page.goBack()
      await shown(page, 'Overview')
      await page.keyboard.press('/')
      await page.keyboard.type('nothing has this')
      await page.keyboard.press('Enter')
      await shown(page, 'Services')
      expect(new URL(page.url()).searchParams.get('q')).toBe('nothing has this')
    }),
  )

  itInBrowser('teaches the first registration and the example, whose command works as it stands', () =>
    withConsole(
      async ({ page, open, checkAccessible }) => {
        await open()
        await page.getByText('Nothing is registered yet.').waitFor()
        await page.getByText('Every write will be durable.').waitFor()
        const [first, example = ''] = await page.locator('.first-steps .copy-text').allTextContents()
        expect(first).toContain('/register')
        await checkAccessible()
        const [program, ...words] = example.split(' ')
        expect([program, words[0]]).toEqual(['npx', 'coordinator'])
        await promisify(execFile)(process.execPath, ['bin/coordinator.js', ...words.slice(1)])
        await page.getByRole('link', { name: /^28 services$/ }).waitFor()
      },
      { records: 'none' },
    ),
  )

  itInBrowser(
    'counts 10,000 services, and the changes of the last hour',
    () =>
      withConsole(
        async ({ page, open, checkAccessible, picture }) => {
          await open()
          await page.getByRole('link', { name: /^10,000 services$/ }).waitFor()
          await page.getByRole('link', { name: /^10,000 changes in the last hour$/ }).waitFor()
          await checkAccessible()
          await picture('overview-10000')
        },
        { records: 'thousands' },
      ),
    // It takes a while where other tests run beside it, in milliseconds.
    120_000,
  )

  itInBrowser('shows a moment of the past as it was', () =>
    withConsole(async ({ page, open }) => {
      await open('?asOf=3')
      await shown(page, 'Overview')
      await page.getByRole('link', { name: /^3 services$/ }).waitFor()
      expect(await page.locator('.commit').count()).toBe(3)
      await page.getByRole('link', { name: 'r2', exact: true }).click()
      await page.getByText('You are looking at the past: revision 2').waitFor()
      await page.getByRole('link', { name: /^2 services$/ }).waitFor()
    }),
  )
})
