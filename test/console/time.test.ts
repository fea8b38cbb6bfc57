import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import type { ServerScope } from '../http/with-server.ts'
import { itInBrowser, withConsole } from './browser/with-console.ts'

describe('console: the page Time', () => {
  itInBrowser('shows the graph of an earlier moment, one change at a time, with who made it', () =>
    withConsole(async ({ server, page, open, picture }) => {
      await register(server, { serviceName: 'loyalty', dependencies: ['cart'] })
      await open('time')
      await page.locator('[data-drawn="29"]').waitFor()
      await page.getByRole('button', { name: 'One change back' }).click()
      await page.locator('[data-drawn="28"]').waitFor()
      expect(new URL(page.url()).searchParams.get('asOf')).toBe('28')
      const commits = page.getByRole('region', { name: 'Last commits up to this moment' }).locator('li')
      expect(await commits.first().textContent()).toMatch(/^r28registered .* by http:127\.0\.0\.1/)
      // The other pages follow: every link keeps the moment.
      const graph = page.getByRole('navigation').getByRole('link', { name: 'Graph', exact: true })
      expect(await graph.getAttribute('href')).toContain('asOf=28')
      await picture('time')
      await page.getByRole('button', { name: 'One change forward' }).click()
      await page.locator('[data-drawn="29"]').waitFor()
      expect(new URL(page.url()).searchParams.has('asOf')).toBe(false)
    }),
  )

  itInBrowser('asks once after the slider rests, and aborts what it no longer wants', () =>
    withConsole(async ({ page, open }) => {
      await open('time')
      await page.locator('[data-drawn="28"]').waitFor()
      const asked: string[] = []
      page.on('request', (request) => {
        if (request.url().includes('asOf=')) asked.push(request.url())
      })
      const slider = page.getByRole('slider')
      await slider.focus()
      await noteRest(page)
      // Keys come faster than the slider rests, so only the last place is asked for.
      for (let times = 0; times < 5; times += 1) await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('Home')
      await expect.poll(() => new URL(page.url()).searchParams.get('asOf')).not.toBeNull()
      await expect.poll(() => asked.some((url) => url.includes('/knowledge-graph?'))).toBe(true)
      const revisions = new Set(asked.map((url) => new URL(url).searchParams.get('asOf')))
      expect(revisions.size).toBe(1)
      // A timer is never early: 1 ms for the rounding of the clock.
      expect(await restMs(page)).toBeGreaterThanOrEqual(299)
    }),
  )

  itInBrowser('compares two moments: what was added, removed and changed keeps its place in both', () =>
    withConsole(async ({ server, page, open, checkAccessible, picture }) => {
      await register(server, { serviceName: 'loyalty', dependencies: ['cart', 'points'] })
      const { services } = await listed(server, 'quote')
      await server.ask(`/services/${services[0]?.serviceId}`, { method: 'DELETE' })
      await open('time?asOf=28')
      await page.locator('[data-drawn="28"]').waitFor()
      await page.getByRole('button', { name: 'What changed since' }).click()
      await page.locator('.graph-sentence', { hasText: '+ 2 nodes' }).waitFor()
      await page.locator('[data-drawn]:not([data-drawn="0"])').waitFor()
      expect(await signOf(page, 'service:loyalty')).toBe('added')
      // Others still need it: it is there, but no longer registered.
      expect(await signOf(page, 'service:quote')).toBe('changed')
      expect(await page.locator('.edge[data-sign="removed"]').count()).toBeGreaterThan(0)
      // The sign says it, and not only the colour.
      expect(await page.locator('[data-node="service:loyalty"] .sign').textContent()).toBe('+')
      const commits = page.getByRole('region', { name: 'Commits' }).locator('tbody tr')
      expect(await commits.count()).toBe(2)
      expect(await commits.first().textContent()).toContain('http:127.0.0.1')
      await checkAccessible()
      await picture('time-compare')

      const both = await places(page)
      await page.getByRole('button', { name: 'Before' }).click()
      await expect.poll(() => page.locator('[data-node="service:loyalty"]').count()).toBe(0)
      const before = await places(page)
      await page.getByRole('button', { name: 'After' }).click()
      await page.locator('[data-node="service:loyalty"]').waitFor()
      const after = await places(page)
      expect(Object.keys(before).length).toBeGreaterThan(2)
      expect(before).toEqual(Object.fromEntries(Object.keys(before).map((id) => [id, both[id]])))
      expect(after).toEqual(Object.fromEntries(Object.keys(after).map((id) => [id, both[id]])))
    }),
  )

  itInBrowser('begins a comparison of many nodes with all of them', () =>
    withConsole(async ({ page, open, picture }) => {
      await open('time?from=0')
      await page.locator('[data-drawn="28"]').waitFor()
      const outside = await page.locator('.focus-drawing').evaluate((drawing) => {
        const { left, right, top, bottom } = drawing.getBoundingClientRect()
        return [...drawing.querySelectorAll('.node .box')].filter((box) => {
          const place = box.getBoundingClientRect()
          return place.left < left || place.right > right || place.top < top || place.bottom > bottom
        }).length
      })
      expect(outside).toBe(0)
      await picture('time-compare-all')
    }),
  )

  itInBrowser('compares the same moments if the slider of the earlier one is moved past the other one', () =>
    withConsole(async ({ server, page, open }) => {
      await register(server, { serviceName: 'loyalty', dependencies: ['cart'] })
      await open('time?from=20&to=28')
      await page.locator('.graph-sentence', { hasText: 'changed' }).waitFor()
      await page.getByLabel('Before').press('End')
      await page.locator('.graph-sentence', { hasText: '+ 1 node and 1 edge added' }).waitFor()
      await page.getByText('Before: 2').waitFor()
      expect(await page.getByRole('slider', { name: 'After' }).getAttribute('aria-valuetext')).toContain('29')
    }),
  )

  itInBrowser('says that a moment is not kept, with the code and what to do', () =>
    withConsole(async ({ page, open, faults }) => {
      faults.expect(/status of 4\d\d/)
      await open('time?asOf=99999')
      await page.getByRole('alert').filter({ hasText: 'COORD_' }).first().waitFor()
    }),
  )

  itInBrowser('shows who made a commit in full beside the drawing, however they call themselves', () =>
    withConsole(async ({ server, page, open }) => {
      const headers = { 'x-coordinator-actor': 'the nightly import of the second shop, started by hand' }
      await register(server, { serviceName: 'loyalty' }, headers)
      await open('time?from=20')
      const commits = page.getByRole('region', { name: 'Commits' })
      await commits.getByText('the nightly import').waitFor()
      const widths = await commits
        .locator('.table-place')
        .evaluate(({ clientWidth, scrollWidth }) => ({ clientWidth, scrollWidth }))
      expect(widths.scrollWidth).toBe(widths.clientWidth)
    }),
  )
})

async function register(
  server: ServerScope,
  service: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<void> {
  await server.ask('/register', {
    json: { version: '1.0.0', endpoint: 'http://x:8080', ...service },
    headers,
  })
}

async function listed(server: ServerScope, name: string) {
  const { text } = await server.ask(`/services?name=${name}`)
  return JSON.parse(text) as { services: { serviceId: string }[] }
}

function signOf(page: Page, id: string): Promise<string | null> {
  return page.locator(`[data-node="${id}"]`).getAttribute('data-sign')
}

/** Where each node stands in the drawing. */
function places(page: Page): Promise<Record<string, string>> {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.node')].map((node) => [
        node.getAttribute('data-node') ?? '',
        node.getAttribute('transform') ?? '',
      ]),
    ),
  )
}

/** From now on the page notes how long its slider had rested when the first question about the past was sent. */
function noteRest(page: Page): Promise<void> {
  return page.evaluate(() => {
    let movedAt = 0
    document.addEventListener('input', () => (movedAt = performance.now()), { capture: true })
    const send = window.fetch
    window.fetch = (to, options) => {
      if (String(to).includes('asOf='))
        document.body.dataset['rested'] ??= String(performance.now() - movedAt)
      return send(to, options)
    }
  })
}

async function restMs(page: Page): Promise<number> {
  return Number(await page.locator('body').getAttribute('data-rested'))
}
