import { describe, expect } from 'vitest'
import { type ConsoleSetup, itInBrowser, withConsole } from './browser/with-console.ts'

describe('console: the served page', () => {
  itInBrowser('opens without a fault where a browser opens the coordinator', () =>
    withConsole(async ({ page, url, picture, checkAccessible }) => {
      await page.goto(`${url}/`)
      expect(page.url()).toBe(`${url}/console/`)
      await page.locator('#console > *').first().waitFor()
      await checkAccessible()
      await picture('first-view')
    }),
  )

  const places: readonly [string, ConsoleSetup][] = [
    ['at the root', {}],
    ['behind a proxy that removes its prefix', { prefix: { path: '/tools/registry', strips: true } }],
    ['behind a proxy that leaves its prefix', { prefix: { path: '/tools/registry', strips: false } }],
    ['with AUTH=required', { auth: true }],
  ]
  for (const [place, setup] of places) {
    itInBrowser(`finds its files from every path, ${place}`, () =>
      withConsole(async ({ page, url, open, faults }) => {
        // Without a token the console may ask, and is refused.
        if (setup.auth === true) faults.tolerate(/status of 401/)
        for (const path of ['', 'services', 'graph/', 'services/a%2Fb?asOf=1']) {
          await open(path)
          await page.locator('#console > *').first().waitFor()
        }
        expect(page.url().startsWith(url)).toBe(true)
      }, setup),
    )
  }

  itInBrowser('of the reference works under the same policy', () =>
    withConsole(
      async ({ page, url }) => {
        await page.goto(`${url}/docs`)
        await page.locator('#getServices summary', { hasText: 'Try it' }).click()
        await page.locator('#getServices').getByRole('button', { name: 'Send' }).click()
        await page.locator('#getServices .answer', { hasText: '200 OK' }).waitFor()
        expect(await page.locator('#postRegister pre code').first().textContent()).toContain(
          `curl "${url}/register"`,
        )
      },
      { prefix: { path: '/tools/registry', strips: true } },
    ),
  )
})

describe('console: the browser of these tests', () => {
  itInBrowser('fails a test for an error, a blocked script, and a request to another server', async () => {
    const plant = (script: string) =>
      withConsole(
        async ({ page, open }) => {
          await open()
          await page.evaluate(script)
          await page.waitForTimeout(200)
        },
        { records: 'none' },
      )
    await expect(plant(`console.error('planted')`)).rejects.toThrow('console: planted')
    await expect(plant(`setTimeout(() => { throw new Error('thrown') })`)).rejects.toThrow(
      'page: Error: thrown',
    )
    await expect(
      plant(`document.head.append(Object.assign(document.createElement('script'), { text: '1' }))`),
    ).rejects.toThrow(/policy: script-src-elem blocked inline/)
    await expect(plant(`new Worker(URL.createObjectURL(new Blob(['1'])))`)).rejects.toThrow(
      /policy: worker-src blocked blob/,
    )
    await expect(plant(`fetch('http://192.0.2.1/').catch(() => {})`)).rejects.toThrow(
      /policy: connect-src blocked|another server/,
    )
    await expect(
      plant(
        `document.body.append(Object.assign(document.createElement('img'), { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' }))`,
      ),
    ).resolves.toBeUndefined()
  })

  itInBrowser('finds what people with assistive technology cannot use', () =>
    withConsole(
      async ({ page, open, checkAccessible }) => {
        await open()
        await page.evaluate(`document.body.append(document.createElement('button'))`)
        await expect(checkAccessible()).rejects.toThrow('button-name')
      },
      { records: 'none' },
    ),
  )

  itInBrowser('says when a fault that a test expects did not happen', async () => {
    const nothing = withConsole(
      async ({ open, faults }) => {
        faults.expect(/status of 404/)
        await open()
      },
      { records: 'none' },
    )
    await expect(nothing).rejects.toThrow('did not happen: /status of 404/')
  })
})
