import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

/** A question of the page to which nobody answers. */
interface Held {
  readonly url: URL
  aborted: boolean
}

/** Keeps the answers to some questions away from the page, and notes which of them the page gives up. */
async function hold(page: Page, isHeld: (url: URL) => boolean): Promise<readonly Held[]> {
  const held: Held[] = []
  await page.route(isHeld, (route) => {
    held.push({ url: new URL(route.request().url()), aborted: false })
  })
  page.on('requestfailed', (request) => {
    const question = held.findLast(({ url, aborted }) => !aborted && url.href === request.url())
    if (question !== undefined) question.aborted = request.failure()?.errorText === 'net::ERR_ABORTED'
  })
  return held
}

const has = (path: string, member: string) => (url: URL) =>
  url.pathname.endsWith(path) && url.searchParams.has(member)

/** The first question is asked and not answered, then comes another one: the page must give the first one up, and only that. */
async function expectAbort(
  held: readonly Held[],
  { first, second }: { readonly first: () => Promise<unknown>; readonly second: () => Promise<unknown> },
): Promise<void> {
  await first()
  await expect.poll(() => held.length).toBe(1)
  expect(held[0]?.aborted).toBe(false)
  await second()
  await expect.poll(() => held.map(({ aborted }) => aborted)).toEqual([true, false])
  expect(held[1]?.url.href).not.toBe(held[0]?.url.href)
}

describe('console: a question that nobody waits for any more is aborted', () => {
  const fields = [
    ['the search of the overview', '', 'Overview', 'Search for a service', has('/services', 'q')],
    [
      'the search in the graph',
      'graph?of=cart',
      'Graph',
      'Search in the graph',
      has('/knowledge-graph', 'name'),
    ],
    ['the search of a node in time', 'time', 'Time', 'Look at one node', has('/knowledge-graph', 'name')],
    [
      'the search of a change',
      'what-if',
      'What if',
      'Which service is removed',
      has('/knowledge-graph', 'name'),
    ],
  ] as const
  for (const [what, path, title, label, isHeld] of fields)
    itInBrowser(`when somebody types on: ${what}`, () =>
      withConsole(async ({ page, open }) => {
        await open(path)
        await shown(page, title)
        const field = page.getByLabel(label, { exact: true })
        await expectAbort(await hold(page, isHeld), {
          first: () => field.fill('c'),
          second: () => field.fill('ca'),
        })
      }),
    )

  itInBrowser('when somebody types on: the list of so many services that the coordinator filters them', () =>
    withConsole(async ({ page, open }) => {
      // As if there were 20,000 services: the page asks for each search then.
      await page.route(has('/services', 'limit'), async (route) => {
        const response = await route.fetch()
        const json = { ...(await response.json()), total: 20_000, nextCursor: 'more' }
        await route.fulfill({ response, json })
      })
      await open('services')
      await shown(page, 'Services')
      const field = page.getByLabel('Filter by name, tag, metadata, capability, owner')
      await expectAbort(await hold(page, has('/services', 'q')), {
        first: () => field.fill('c'),
        second: () => field.fill('ca'),
      })
    }),
  )

  const ends = (path: string) => (url: URL) => url.pathname.endsWith(path)
  const sliders = [
    ['the graph of a moment', 'time?asOf=20', 'The graph of', ends('/knowledge-graph')],
    ['the difference', 'time?from=20', 'Before', ends('/knowledge-graph/diff')],
    ['the graphs of the difference', 'time?from=20', 'Before', ends('/knowledge-graph')],
  ] as const
  for (const [what, path, label, isHeld] of sliders)
    itInBrowser(`when somebody moves the slider on: ${what}`, () =>
      withConsole(async ({ server, page, open }) => {
        // The demo comes at once: this is the other end of the slider.
        await server.ask('/register', {
          json: { serviceName: 'later', version: '1.0.0', endpoint: 'http://later:1' },
        })
        await open(path)
        await page.locator('[data-drawn]:not([data-drawn="0"])').waitFor()
        const slider = page.getByLabel(label)
        await expectAbort(await hold(page, isHeld), {
          first: () => slider.press('End'),
          second: () => slider.press('Home'),
        })
      }),
    )

  for (const [path, isHeld] of [
    ['graph?of=cart', (url: URL) => url.pathname.includes('/knowledge-graph')],
    ['what-if?remove=service:cart', ends('/knowledge-graph/simulate')],
    ['service?name=cart', (url: URL) => /\/services$|\/services\/[^/]+$/.test(url.pathname)],
  ] as const)
    itInBrowser(`when somebody leaves the page: ${path}`, () =>
      withConsole(async ({ page, open }) => {
        const held = await hold(page, isHeld)
        await open(path)
        await expect.poll(() => held.length).toBeGreaterThan(0)
        await page.getByRole('navigation').getByRole('link', { name: 'Access', exact: true }).click()
        await expect.poll(() => held.every(({ aborted }) => aborted)).toBe(true)
      }),
    )
})
