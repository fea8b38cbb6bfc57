import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { addServices, manyServices } from './browser/records.ts'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

const kib = 1_024

/** What the page keeps in its heap after a collection, in KiB. */
async function heapKib(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return usedSize / kib
}

/** The shortest of three: other programs take time from the browser. */
async function bestMs(act: () => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < 3; turn += 1) {
    const began = performance.now()
    await act()
    times.push(performance.now() - began)
  }
  return Math.round(Math.min(...times))
}

describe('console: its figures', () => {
  itInBrowser('every page works with 10,000 services, and the first view takes at most 1.5 seconds', () =>
    withConsole(
      async ({ page, open }) => {
        const firstMs = await bestMs(async () => {
          await page.goto('about:blank')
          await open('services')
          await page.locator('tbody .service-name').first().waitFor()
        })
        console.info(`first view of 10,000 services: ${firstMs} ms`)
        const name = 'search-worker-1'
        for (const [path, title, content] of [
          [`service?name=${name}`, name, '.fields'],
          ['time', 'Time', '[data-drawn]:not([data-drawn="0"])'],
          ['time?asOf=9000', 'Time', '[data-drawn]:not([data-drawn="0"])'],
          [`what-if?remove=${name}`, 'What if', '[data-drawn]:not([data-drawn="0"])'],
          ['database', 'Database', '.database-state'],
          ['access', 'Access', 'h2'],
        ] as const) {
          await open(path)
          await shown(page, title)
          await page.locator(content).first().waitFor()
        }
        expect(firstMs).toBeLessThanOrEqual(1_500)
      },
      { records: 'thousands' },
    ),
  )

  itInBrowser('the map draws 2,000 nodes within 4 seconds, without a graphics card', () =>
    withConsole(
      async ({ server, page, open, picture }) => {
        await addServices(server, manyServices(2_000))
        const drawnMs = await bestMs(async () => {
          await page.goto('about:blank')
          await open('graph?show=map&groupBy=none')
          await page.locator('.map-view[data-drawn="2000"]').waitFor()
        })
        console.info(`map of 2,000 nodes: ${drawnMs} ms`)
        await picture('map-2000')
        // Without a graphics card it takes 1.1 s on a quiet machine. drawing-speed.long.test.ts holds the time of 1,000 nodes.
        expect(drawnMs).toBeLessThanOrEqual(4_000)
      },
      { records: 'none' },
    ),
  )

  itInBrowser('a slider over 50,000 revisions leads to any of them within 4 seconds', () =>
    withConsole(
      async ({ server, page, open }) => {
        const services = manyServices(500)
        for (let round = 0; round < 100; round += 1)
          await addServices(
            server,
            services.map((service) => ({ ...service, version: `1.${round}.0` })),
          )
        const openMs = await bestMs(async () => {
          await page.goto('about:blank')
          await open('time')
          await page.locator('[data-drawn]:not([data-drawn="0"])').waitFor()
        })
        const pastMs = await bestMs(async () => {
          await page.goto('about:blank')
          await open('time?asOf=25000')
          await page.locator('[data-drawn]:not([data-drawn="0"])').waitFor()
        })
        console.info(`50,000 revisions: ${openMs} ms now, ${pastMs} ms for revision 25,000`)
        await page.getByText('You are looking at the past: revision 25').waitFor()
        expect(Math.max(openMs, pastMs)).toBeLessThanOrEqual(4_000)
      },
      { records: 'none' },
    ),
  )

  itInBrowser('the memory of a page does not grow with the changes that it shows', () =>
    withConsole(async ({ server, page, open }) => {
      for (const [path, title] of [
        ['', 'Overview'],
        ['services', 'Services'],
        ['graph?of=cart', 'Graph'],
      ] as const) {
        await open(path)
        await shown(page, title)
        let version = 0
        const change = async (count: number) => {
          for (const end = version + count; version < end; version += 1)
            await server.ask('/register', {
              json: { serviceName: 'cart', version: `1.0.${version}`, endpoint: 'http://cart:80' },
            })
        }
        await change(300)
        const before = await heapKib(page)
        await change(900)
        const after = await heapKib(page)
        console.info(`${title}: ${Math.round(before)} KiB, after 900 more changes ${Math.round(after)} KiB`)
        expect(after - before).toBeLessThan(3 * kib)
      }
    }),
  )
})
