import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

/** The names in the rows that are in the document. */
function names(page: Page): Promise<string[]> {
  return page.locator('tbody .service-name').allTextContents()
}

/** How long the page takes to show what a search finds, in milliseconds: from the letter to the next picture. */
function filterMs(page: Page, text: string): Promise<number> {
  return page.getByRole('searchbox').evaluate(async (field, value) => {
    const began = performance.now()
    const input = field as HTMLInputElement
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, value)
    input.dispatchEvent(new Event('input', { bubbles: true }))
    const drawn = Promise.withResolvers<void>()
    requestAnimationFrame(() => setTimeout(drawn.resolve))
    await drawn.promise
    return performance.now() - began
  }, text)
}

describe('console: the list of services', () => {
  itInBrowser('finds a service by its tag, in the address too', () =>
    withConsole(async ({ page, open, checkAccessible }) => {
      await open()
      await shown(page, 'Overview')
      await page.getByRole('navigation').getByRole('link', { name: 'Services' }).click()
      await shown(page, 'Services')
      await page.getByRole('searchbox').fill('database')
      await expect.poll(() => names(page)).toEqual(['astronomy-db', 'opensearch'])
      expect(new URL(page.url()).searchParams.get('q')).toBe('database')
      await checkAccessible()
      await page.reload()
      await shown(page, 'Services')
      expect(await names(page)).toEqual(['astronomy-db', 'opensearch'])
      await page.getByRole('searchbox').fill('nothing has this')
      await page.getByText('No service matches.').waitFor()
      await page.getByRole('button', { name: 'Show all services' }).click()
      await expect.poll(() => names(page)).toHaveLength(28)
    }),
  )

  itInBrowser('is worked by keyboard alone: search, rows, a service, and back', () =>
    withConsole(async ({ page, open }) => {
      await open('services')
      await shown(page, 'Services')
      await page.keyboard.press('/')
      await page.keyboard.type('business cart')
      await expect.poll(() => names(page)).toEqual(['cart'])
      await page.keyboard.press('Escape')
      await expect.poll(() => names(page)).toHaveLength(28)
      await page.locator('tbody tr').first().focus()
      for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key)
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.querySelector('a')?.textContent))
        .toBe('cart')
      await page.keyboard.press('Enter')
      await shown(page, 'cart')
    }),
  )

  itInBrowser('filters by health, sorts, and shows other columns, all of it in the address', () =>
    withConsole(async ({ page, open, server }) => {
      const { body } = await server.ask('/services?name=cart')
      const [{ serviceId }] = body.services
      await server.ask(`/services/${serviceId}/heartbeat`, { method: 'PUT', json: { status: 'down' } })
      await open('services')
      await shown(page, 'Services')
      await page.getByRole('button', { name: /^down 1$/ }).click()
      await expect.poll(() => names(page)).toEqual(['cart'])
      await page.getByRole('button', { name: /^all 28$/ }).click()
      await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click()
      await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click()
      await expect.poll(async () => (await names(page))[0]).toBe('valkey-cart')
      await page.getByText('Columns', { exact: true }).click()
      await page.getByRole('checkbox', { name: 'Revision' }).check()
      await page.getByRole('columnheader', { name: 'Revision' }).waitFor()
      await page.keyboard.press('Escape')
      await page.reload()
      await shown(page, 'Services')
      await page.getByRole('columnheader', { name: 'Revision' }).waitFor()
      expect((await names(page))[0]).toBe('valkey-cart')
    }),
  )

  itInBrowser('shows a new service without reloading, and teaches the first registration', () =>
    withConsole(
      async ({ page, open, server, checkAccessible }) => {
        await open('services')
        await page.getByText('No service is registered yet.').waitFor()
        const command = await page.locator('.copy-text').textContent()
        expect(command).toMatch(
          /^curl http:\/\/127\.0\.0\.1:\d+\/register -H 'Content-Type: application\/json' -d '{/,
        )
        await checkAccessible()
        const [, json = ''] = /-d '(.*)'$/.exec(command ?? '') ?? []
        const { status } = await server.ask('/register', { json: JSON.parse(json) })
        expect(status).toBe(201)
        await expect.poll(() => names(page)).toEqual(['cart'])
      },
      { records: 'none' },
    ),
  )

  itInBrowser(
    'shows 10,000 services with few elements, and filters them at once',
    () =>
      withConsole(
        async ({ page, open, server, checkAccessible, picture }) => {
          await open('services')
          await shown(page, 'Services')
          await page.getByRole('button', { name: /^all 10,000$/ }).waitFor()
          expect((await names(page)).length).toBeLessThan(80)
          expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('10001')
          const tries: number[] = []
          for (const text of ['p', 'pa', 'payments', 'payments store', 'payments store 77', ''])
            tries.push(await filterMs(page, text))
          // The best of them: other programs take time from this one.
          expect(Math.min(...tries)).toBeLessThan(100)
          await page.locator('tbody tr[data-row="0"]').focus()
          await page.keyboard.press('End')
          await expect
            .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex')))
            .toBe('10001')
          await checkAccessible()
          await picture('services-10000')
          // One more, and the server filters.
          await server.ask('/register', {
            json: { serviceName: 'zz-last', version: '1.0.0', endpoint: 'http://last:1', tags: ['payments'] },
          })
          await page.getByText('1,000 of 10,001 are shown.').waitFor()
          await page.getByRole('searchbox').fill('zz payments')
          await expect.poll(() => names(page)).toEqual(['zz-last'])
        },
        { records: 'thousands' },
      ),
    // It takes a while where other tests run beside it, in milliseconds.
    120_000,
  )
})
