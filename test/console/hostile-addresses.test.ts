import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

describe('console: an address that somebody else made', () => {
  itInBrowser('has no link that leaves the coordinator, whatever its path is', () =>
    withConsole(async ({ page, open, url }) => {
      for (const path of [
        'https://evil.example/x',
        'https:evil.example',
        '//evil.example/',
        '///evil.example/',
        'javascript:alert(1)',
        'data:text/html,x',
      ]) {
        await open(`${path}?asOf=1`)
        await shown(page, 'No such page')
        const targets = await page
          .locator('a')
          .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))
        expect(targets.filter((target) => !target.startsWith(`${url}/`))).toEqual([])
        const back = page.getByRole('link', { name: 'Back to now' })
        expect(await back.getAttribute('href')).toMatch(new RegExp(`^${url}/console/.*(evil|alert|text)`))
        await back.click()
        await expect.poll(() => page.getByText('You are looking at the past').count()).toBe(0)
        expect(page.url().startsWith(`${url}/console/`)).toBe(true)
      }
    }),
  )

  itInBrowser('names a service that does not exist, even if a URL would take its id for another path', () =>
    withConsole(async ({ page, open, faults }) => {
      faults.tolerate(/status of 404/)
      for (const id of ['..', '.', '', '%2e%2e', '../tokens', '//evil.example']) {
        await open(`service?id=${encodeURIComponent(id)}`)
        await page.getByRole('link', { name: 'COORD_SERVICE_NOT_FOUND' }).waitFor()
      }
    }),
  )

  itInBrowser('shows what an address without a member shows, where the member is empty', () =>
    withConsole(async ({ page, open }) => {
      for (const [path, title] of [
        ['graph?of=', 'Graph'],
        ['graph?of=&asOf=&namespace=', 'Graph'],
        ['what-if?remove=&version=&register=', 'What if'],
        ['services?q=&health=&sort=&columns=', 'Services'],
        ['time?from=&to=', 'Time'],
      ] as const) {
        await open(path)
        await shown(page, title)
        expect([path, await page.locator('.state-failure').count()]).toEqual([path, 0])
      }
    }),
  )
})
