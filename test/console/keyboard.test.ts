import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { Person } from './browser/person.ts'
import { type ConsoleScope, itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

const service = { version: '1.0.0', endpoint: 'http://x:8080' }

/** Opens a page through the links of the navigation. Every stop of the Tab key on the way must be seen. */
async function goTo(person: Person, page: Page, title: string): Promise<void> {
  await person.tabTo(title)
  await person.press('Enter')
  await shown(page, title)
}

interface Act {
  /** Clicks the first element that this selector finds. */
  readonly click?: string
  /** Presses a key where the focus is. */
  readonly key?: string
  /** What it brings. */
  readonly until: string
  /** The text of what it brings. */
  readonly text?: string
}

/** What has the focus in the task after the one that brought something: no key of a person comes earlier. */
function focusAfter(page: Page, act: Act): Promise<string> {
  return page.evaluate(async ({ click, key = '', until, text = '' }) => {
    const nextTask = () =>
      new Promise<void>((resolve) => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = () => resolve()
        port2.postMessage('')
      })
    if (click !== undefined) document.querySelector<HTMLElement>(click)?.click()
    else
      (document.activeElement ?? document.body).dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
      )
    const isThere = () =>
      [...document.querySelectorAll(until)].some(({ textContent }) => textContent.includes(text))
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      await nextTask()
      if (isThere()) break
    }
    const { activeElement } = document
    const label = activeElement instanceof HTMLInputElement ? activeElement.labels?.[0] : undefined
    const name = activeElement?.getAttribute('aria-label')
    return (name ?? (label ?? activeElement)?.textContent ?? '').trim()
  }, act)
}

describe('console: by keyboard alone, and the focus is always seen', () => {
  itInBrowser('the database: its operations, its details, and what repairs a fault', () =>
    withConsole(async ({ page, open, server, faults }) => {
      faults.tolerate(/status of 503/)
      server.store.outage()
      await open()
      await shown(page, 'Overview')
      const person = new Person(page)
      await goTo(person, page, 'Database')
      await page.locator('.errors').getByRole('link').first().waitFor()
      // A table is one stop: the arrow keys go from row to row.
      await person.tabTo(/^(changes|commit|as_of|open|head|load)\d/)
      const first = await person.focus()
      await person.press('ArrowDown')
      await expect.poll(async () => (await person.focus()).name).not.toBe(first.name)
      expect((await person.focus()).seen).toBe(true)
      await person.tabTo(/^COORD_STORE_/)
      const href = await page.evaluate(() => document.activeElement?.getAttribute('href'))
      await person.press('Enter')
      await expect.poll(() => page.url()).toBe(new URL(href ?? '', page.url()).href)
    }),
  )

  itInBrowser('the comparison of two moments: both sliders, the drawing, and a commit', () => {
    // The demo came half an hour ago: it is within the first step of the slider.
    let agoMs = 1_800_000
    const inner = new MemoryStore({ now: () => Date.now() - agoMs })
    const work = async ({ page, open, server }: ConsoleScope) => {
      agoMs = 0
      await server.ask('/register', { json: { ...service, serviceName: 'loyalty', dependencies: ['cart'] } })
      await open()
      await shown(page, 'Overview')
      const person = new Person(page)
      await goTo(person, page, 'Time')
      await page.locator('[data-drawn="29"]').waitFor()
      await person.tabTo(/^The graph of/)
      await person.press('Home')
      await page.locator('[data-drawn="28"]').waitFor()
      await person.tabTo('What changed since')
      await person.press('Enter')
      await page.locator('.graph-sentence', { hasText: '+ 1 node and 1 edge added' }).waitFor()
      await person.tabTo(/^After/)
      await person.press('Home')
      await page.getByText('Nothing in the graph changed between the two moments.').waitFor()
      expect((await person.focus()).name).toMatch(/^After/)
      await person.press('End')
      await page.locator('.graph-sentence', { hasText: '+ 1 node and 1 edge added' }).waitFor()
      await person.tabTo('Before')
      await person.press('Enter')
      await expect.poll(() => page.locator('[data-node="service:loyalty"]').count()).toBe(0)
      await person.tabTo('After')
      await person.press('Enter')
      await person.tabTo(/^(loyalty|cart) /)
      const node = (await person.focus()).name
      await person.press(node.startsWith('cart') ? 'ArrowLeft' : 'ArrowRight')
      expect((await person.focus()).name).toMatch(node.startsWith('cart') ? /^loyalty / : /^cart /)
      expect((await person.focus()).seen).toBe(true)
      await person.press('Enter')
      await page.getByRole('region', { name: /^About (cart|loyalty)$/ }).waitFor()
      await person.tabTo(/^r29/)
      await person.press('Enter')
      await expect.poll(() => new URL(page.url()).searchParams.get('asOf')).toBe('29')
      await shown(page, 'Time')
    }
    return withConsole(work, { server: { inner } })
  })

  itInBrowser('what if: remove, change a version, try a registration, and take them back', () =>
    withConsole(async ({ page, open }) => {
      await open()
      await shown(page, 'Overview')
      const person = new Person(page)
      await goTo(person, page, 'What if')
      await person.tabTo('Which service is removed')
      await person.type('flagd')
      await page.getByRole('option', { name: /^flagd service/ }).waitFor()
      await person.press('ArrowDown')
      await person.press('ArrowUp')
      await person.press('Enter')
      await page.getByRole('heading', { name: 'Not safe: 13 services would lose what they need.' }).waitFor()
      // The focus stays in the field, where the next service is added.
      expect((await person.focus()).name).toBe('Which service is removed')
      await person.tabTo('Which service gets another version')
      await person.type('cart')
      await page.getByRole('option', { name: /^cart / }).waitFor()
      await person.press('Enter')
      await expect.poll(async () => (await person.focus()).name).toBe('New version of cart')
      await person.type('4.0.0')
      await person.press('Enter')
      await page.getByText('cart to 4.0.0').waitFor()
      await expect.poll(async () => (await person.focus()).name).toBe('Which service gets another version')
      await person.tabTo('A registration, or a list of them, as JSON')
      await person.type(JSON.stringify({ ...service, serviceName: 'new', dependencies: ['nobody'] }))
      await person.tabTo('Try it')
      await person.press('Enter')
      await page.getByText('new needs nobody').waitFor()
      await person.tabTo(/^Copy the/)
      await person.tabTo('Take flagd out of the change', 'Shift+Tab')
      await person.press('Enter')
      await page.getByRole('button', { name: 'Take flagd out of the change' }).waitFor({ state: 'detached' })
      // Whoever removes something is not sent back to the beginning of the page.
      await expect.poll(async () => (await person.focus()).name).toBe('Which service is removed')
      await page.goBack()
      await page.getByRole('button', { name: 'Take flagd out of the change' }).waitFor()
    }),
  )

  itInBrowser('a service: from its history to its commands, and to what needs it', () =>
    withConsole(async ({ page, open }) => {
      await open()
      await shown(page, 'Overview')
      const person = new Person(page)
      await person.press('/')
      await person.type('astronomy')
      await person.press('Enter')
      await shown(page, 'astronomy-db')
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1')
      await person.tabTo('What would break without it?')
      await person.tabTo('database')
      await person.tabTo('product-catalog')
      await person.tabTo(/^r\d+$/)
      await person.tabTo('Copy the command that reads it by id')
      await person.tabTo(/^Raw JSON/)
      await person.press('Enter')
      await page.getByText('"serviceName": "astronomy-db"').waitFor()
      await person.tabTo('product-catalog', 'Shift+Tab')
      await person.press('Enter')
      await shown(page, 'product-catalog')
    }),
  )

  itInBrowser('the map: a group is opened, and a node chosen, in the tables beside it', () =>
    withConsole(async ({ page, open }) => {
      await open('graph?show=map&groupBy=tag')
      await page.locator('.map-view[data-drawn="4"]').waitFor()
      const person = new Person(page)
      await person.tabTo('database')
      await person.press('Enter')
      await page.locator('.map-view[data-drawn="5"]').waitFor()
      await expect.poll(async () => (await person.focus()).name).toMatch(/^database/)
      await person.tabTo('astronomy-db')
      await person.press('Enter')
      await page.getByRole('region', { name: 'About astronomy-db' }).waitFor()
    }),
  )

  itInBrowser('the focus is where it belongs before another key can arrive', () =>
    withConsole(async ({ page, open }) => {
      await open()
      await shown(page, 'Overview')
      const whatIf = { click: 'nav a[href$="/what-if"]', until: 'h1', text: 'What if' }
      expect(await focusAfter(page, whatIf)).toBe('What if')
      const search = page.getByRole('combobox', { name: 'Which service gets another version' })
      await search.fill('cart')
      await page.getByRole('option', { name: /^cart / }).waitFor()
      const picked = { key: 'Enter', until: '.version-form' }
      expect(await focusAfter(page, picked)).toBe('New version of cart')
      await page.keyboard.type('4.0.0')
      const tried = { click: '.version-form [type=submit]', until: '.chip' }
      expect(await focusAfter(page, tried)).toBe('Which service gets another version')
      const services = { click: 'nav a[href$="/services"]', until: 'h1', text: 'Services' }
      expect(await focusAfter(page, services)).toBe('Services')
      expect(await focusAfter(page, { key: '/', until: '.search' })).toMatch(/^Filter by name/)
      await page.locator('[data-row="0"]').focus()
      const second = await page.locator('[data-row="1"]').textContent()
      expect(await focusAfter(page, { key: 'ArrowDown', until: '[data-row="1"]' })).toBe(second?.trim())
    }),
  )
})
