import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { type ConsoleSetup, itInBrowser, withConsole } from './browser/with-console.ts'
import { hostileNames, hostileServices } from './hostile-services.ts'
import { shown } from './shown.ts'

/** Tests of many pages may take this long where other tests run beside them, in milliseconds. */
const HEAVY_MS = 120_000

const pages = [
  ['', 'Overview'],
  ['services', 'Services'],
  ['service?name=cart', 'cart'],
  ['graph?of=cart', 'Graph'],
  ['graph?show=map&groupBy=tag', 'Graph'],
  ['time', 'Time'],
  ['what-if?remove=cart', 'What if'],
  ['database', 'Database'],
  ['access', 'Access'],
] as const
const drawings = /^(graph|time|what-if)/

/** Signs that change what is seen beside them, or make one name look like another. */
function withVisibleSigns(name: string): string {
  return name.replaceAll(/[\u202C\u202E]/g, '\ufffd')
}

/** Texts of the page with such signs, but for descriptions, which are texts of their own and isolated. */
function withUnseenSigns(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found: string[] = []
    for (let text = walker.nextNode(); text !== null; text = walker.nextNode())
      if (/[\u202C\u202E]/.test(text.textContent ?? ''))
        if (text.parentElement?.closest('script, .service-description') === null)
          found.push(text.parentElement.outerHTML)
    return found
  })
}

describe('console: every page', () => {
  // axe takes longer than all the rest: two of the views have every colour and every width that matters to it.
  const views: readonly [string, ConsoleSetup, boolean][] = [
    ['in light, 1280 pixels wide, to everybody', {}, true],
    [
      'in dark, on a phone, to everybody',
      { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
      true,
    ],
    ['in dark, 1920 pixels wide', { colorScheme: 'dark', viewport: { width: 1920, height: 1080 } }, false],
    ['in light, on a phone', { viewport: { width: 390, height: 844 } }, false],
  ]
  for (const [view, setup, judged] of views)
    itInBrowser(
      `shows the demo without a fault ${view}`,
      () =>
        withConsole(async ({ page, open, checkAccessible, picture }) => {
          for (const [path, title] of pages) {
            await open(path)
            await shown(page, title)
            // Drawings take axe longest: their own tests have it in light.
            if (judged && (setup.colorScheme === 'dark' || !drawings.test(path))) await checkAccessible()
            const overflow = await page.evaluate(
              () => document.documentElement.scrollWidth - window.innerWidth,
            )
            expect([path, overflow <= 0]).toEqual([path, true])
            const { width } = setup.viewport ?? { width: 1280 }
            const name = path.includes('map') ? 'map' : title.toLowerCase().replace(' ', '-')
            await picture(`${name}-${setup.colorScheme ?? 'light'}-${width}`)
          }
        }, setup),
      HEAVY_MS,
    )

  itInBrowser(
    'shows hostile names as text, and runs nothing of them',
    () =>
      withConsole(
        async ({ page, open, server, checkAccessible }) => {
          const { status } = await server.ask('/register/batch', { json: hostileServices })
          expect(status).toBeLessThan(300)
          for (const [path, title] of pages) {
            await open(path.replace('=cart', `=${encodeURIComponent(hostileNames[0])}`))
            await shown(page, title === 'cart' ? hostileNames[0] : title)
            if (path.startsWith('service')) await checkAccessible()
            expect(await page.title()).not.toBe('owned')
            expect(await page.locator('img, a[href^="javascript:"]').count()).toBe(0)
            expect([path, await withUnseenSigns(page)]).toEqual([path, []])
          }
          const turned = hostileNames[2]
          await open(`service?name=${encodeURIComponent(turned)}`)
          await shown(page, withVisibleSigns(turned))
          expect(await withUnseenSigns(page)).toEqual([])
          await open('services')
          for (const name of hostileNames) {
            const seen = withVisibleSigns(name).replaceAll(/\s+/g, ' ')
            await page.getByRole('link', { name: seen, exact: true }).waitFor()
          }
        },
        { records: 'none' },
      ),
    HEAVY_MS,
  )

  for (const [place, setup] of [
    ['behind a proxy that removes its prefix', { prefix: { path: '/tools/registry', strips: true } }],
    ['behind a proxy that leaves its prefix', { prefix: { path: '/tools/registry', strips: false } }],
  ] as const satisfies readonly [string, ConsoleSetup][])
    itInBrowser(`works ${place}`, () =>
      withConsole(async ({ page, open, url }) => {
        await open()
        await shown(page, 'Overview')
        await page.getByRole('navigation').getByRole('link', { name: 'Services' }).click()
        await shown(page, 'Services')
        await page.getByRole('link', { name: 'cart', exact: true }).click()
        await shown(page, 'cart')
        expect(page.url()).toContain(`${url}/console/service?id=`)
        await page.reload()
        await shown(page, 'cart')
        expect(await page.locator('.copy-text').first().textContent()).toContain(`curl ${url}/services/`)
      }, setup),
    )

  itInBrowser('is reached by keyboard alone, and its title has the focus then', () =>
    withConsole(async ({ page, open }) => {
      await open()
      await shown(page, 'Overview')
      await page.keyboard.press('Tab')
      expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Skip to the page')
      for (const wanted of ['Coordinator', 'Overview', 'Services']) {
        await page.keyboard.press('Tab')
        expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe(wanted)
      }
      await page.keyboard.press('Enter')
      await shown(page, 'Services')
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1')
      await page.goBack()
      await shown(page, 'Overview')
    }),
  )

  itInBrowser('opens its menu on a phone, and closes it after a choice', () =>
    withConsole(
      async ({ page, open }) => {
        await open()
        await shown(page, 'Overview')
        const link = page.getByRole('link', { name: 'Database', exact: true }).first()
        const menu = page.getByRole('button', { name: 'Menu' })
        await menu.click()
        await page.getByRole('navigation').getByRole('link', { name: 'Database' }).click()
        await shown(page, 'Database')
        expect(await menu.getAttribute('aria-expanded')).toBe('false')
        expect(await link.isVisible()).toBe(false)
      },
      { viewport: { width: 390, height: 844 } },
    ),
  )

  itInBrowser('keeps the namespace of its address in every link', () =>
    withConsole(async ({ page, open, server }) => {
      await server.ask('/register', {
        json: { serviceName: 'cart', namespace: 'shop', version: '1.0.0', endpoint: 'http://shop:1' },
      })
      await open('services')
      await shown(page, 'Services')
      await page.getByRole('link', { name: 'shop', exact: true }).click()
      await page.getByText('You are looking at one namespace: shop').waitFor()
      await expect.poll(() => page.getByRole('row').count()).toBe(1 + 1)
      const links = await page
        .getByRole('navigation')
        .getByRole('link')
        .evaluateAll((found) => found.map((link) => link.getAttribute('href') ?? ''))
      const pagesOf = links.filter((href) => href.includes('/console/'))
      expect(pagesOf.length).toBeGreaterThan(6)
      expect(pagesOf.filter((href) => !href.includes('namespace=shop'))).toEqual([])
      await page.getByRole('navigation').getByRole('link', { name: 'Overview', exact: true }).click()
      await page.getByRole('link', { name: /^1 service$/ }).waitFor()
      await page.getByRole('link', { name: 'Show all namespaces' }).click()
      await page.getByRole('link', { name: /^29 services$/ }).waitFor()
      expect(await page.getByText('You are looking at one namespace').count()).toBe(0)
    }),
  )

  itInBrowser('keeps the chosen theme', () =>
    withConsole(
      async ({ page, open }) => {
        const theme = () => page.evaluate(() => document.documentElement.dataset['theme'])
        await open()
        await shown(page, 'Overview')
        expect(await theme()).toBe('dark')
        await page.getByRole('button', { name: 'light theme' }).click()
        expect(await theme()).toBe('light')
        await page.reload()
        await shown(page, 'Overview')
        expect(await theme()).toBe('light')
      },
      { colorScheme: 'dark' },
    ),
  )

  itInBrowser('names what does not exist', () =>
    withConsole(async ({ page, open }) => {
      await open('nowhere')
      await shown(page, 'No such page')
      await page.getByRole('link', { name: 'Go to the overview' }).click()
      await shown(page, 'Overview')
    }),
  )

  itInBrowser('says what it needs where JavaScript is off', () =>
    withConsole(async ({ browser, url }) => {
      const context = await browser.newContext({ javaScriptEnabled: false })
      const page = await context.newPage()
      await page.goto(`${url}/console/services`)
      expect(await page.locator('noscript').textContent()).toContain('The console needs JavaScript')
      await context.close()
    }),
  )
})

describe('console: what is not the present', () => {
  itInBrowser('is told while the coordinator does not answer, and everything is new when it is back', () =>
    withConsole(async ({ page, open, server, goAway, comeBack, faults }) => {
      faults.tolerate(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED/)
      await open('services')
      await shown(page, 'Services')
      await goAway()
      await page.getByRole('alert').filter({ hasText: 'The coordinator does not answer.' }).waitFor()
      expect(await page.getByRole('link', { name: 'cart', exact: true }).isVisible()).toBe(true)
      await server.ask('/register', {
        json: { serviceName: 'newcomer', version: '1.0.0', endpoint: 'http://new:1' },
      })
      await comeBack()
      await page.getByRole('link', { name: 'newcomer', exact: true }).waitFor()
      expect(await page.getByRole('alert').count()).toBe(0)
    }),
  )

  itInBrowser('is told while the database does not answer', () =>
    withConsole(async ({ page, open, server, faults, checkAccessible }) => {
      // What the page asks meanwhile about the past.
      faults.tolerate(/status of 503/)
      await open()
      await shown(page, 'Overview')
      server.store.outage()
      const bar = page
        .getByRole('alert')
        .filter({ hasText: 'The records may be old, and writes are refused.' })
      await bar.waitFor()
      await checkAccessible()
      server.store.heal()
      await bar.waitFor({ state: 'detached' })
    }),
  )

  itInBrowser('is told for a moment of the past, which every link keeps', () =>
    withConsole(async ({ page, open, server, checkAccessible }) => {
      await server.ask('/register', {
        json: { serviceName: 'newcomer', version: '1.0.0', endpoint: 'http://new:1' },
      })
      await open('services?asOf=3')
      await shown(page, 'Services')
      await page.getByText('You are looking at the past: revision 3').waitFor()
      expect(await page.getByRole('row').count()).toBe(1 + 3)
      await page.getByRole('link', { name: 'ad', exact: true }).click()
      await shown(page, 'ad')
      expect(new URL(page.url()).searchParams.get('asOf')).toBe('3')
      await checkAccessible()
      await page.getByRole('link', { name: 'Back to now' }).click()
      await page.getByText('You are looking at the past').waitFor({ state: 'detached' })
      expect(new URL(page.url()).searchParams.has('id')).toBe(true)
    }),
  )
})
