import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { MemoryStore } from '../../src/database/memory/store.ts'
import type { ServerScope } from '../http/with-server.ts'
import { Person } from './browser/person.ts'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

/** Nobody should look longer for the answer to a simple question. */
const LONGEST_S = 60
const HALF_HOUR_MS = 1_800_000

interface Task {
  /** More of them would be a way that somebody made longer. */
  readonly clicks: number
  readonly keys: number
  readonly work: (person: Person, page: Page) => Promise<void>
}

const tasks: Readonly<Record<string, Task>> = {
  'find the service with the tag database': {
    clicks: 0,
    keys: 9,
    async work(person, page) {
      await person.press('/')
      await person.type('database')
      const found = page.getByRole('list', { name: 'Services found' })
      await found.getByRole('link', { name: /^astronomy-db/ }).waitFor()
      await found.getByRole('link', { name: /^opensearch/ }).waitFor()
    },
  },
  'say who breaks if flagd fails': {
    clicks: 2,
    keys: 6,
    async work(person, page) {
      await person.press('/')
      await person.type('flagd')
      await person.click(page.locator('.found').getByRole('link', { name: /^flagd default/ }))
      await shown(page, 'flagd')
      await person.click(page.getByRole('link', { name: 'What would break without it?' }))
      await page.getByRole('heading', { name: /^Not safe: 13 services would lose what they need/ }).waitFor()
    },
  },
  'find when cart changed last, and by whom': {
    clicks: 1,
    keys: 5,
    async work(person, page) {
      await person.press('/')
      await person.type('cart')
      await person.click(page.locator('.found').getByRole('link', { name: /^cart/ }))
      await shown(page, 'cart')
      const last = (await page.locator('.happened').first().textContent()) ?? ''
      expect(last).toMatch(/updated by http:127\.0\.0\.1 calling itself release.*r30/)
      expect(last).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/)
    },
  },
  'show the graph of ten minutes ago, and what has changed since': {
    clicks: 3,
    keys: 0,
    async work(person, page) {
      await person.click(page.getByRole('navigation').getByRole('link', { name: 'Time', exact: true }))
      await person.click(page.getByRole('button', { name: '10 minutes ago', exact: true }))
      await page.getByText('You are looking at the past').waitFor()
      await page.locator('[data-drawn="28"]').waitFor()
      await person.click(page.getByRole('button', { name: 'What changed since' }))
      await page.locator('.graph-sentence', { hasText: '+ 1 node and 1 edge added' }).waitFor()
      await page.locator('[data-node="service:loyalty"][data-sign="added"]').waitFor()
    },
  },
  'find what would break if cart went to 4.0.0': {
    clicks: 2,
    keys: 11,
    async work(person, page) {
      await person.click(page.getByRole('navigation').getByRole('link', { name: 'What if', exact: true }))
      await person.click(page.getByRole('combobox', { name: 'Which service gets another version' }))
      await person.type('cart')
      await page.getByRole('option', { name: /^cart / }).waitFor()
      await person.press('Enter')
      await person.type('4.0.0')
      await person.press('Enter')
      await page.getByText('loyalty wants cart ^3; there would be 4.0.0').waitFor()
    },
  },
  'find out whether the last write is durable': {
    clicks: 0,
    keys: 0,
    async work(_, page) {
      await page.getByText('The last write is durable.').waitFor()
    },
  },
}

/** The demo came half an hour ago; since then one service is new, and one has changed. */
async function change({ ask }: ServerScope): Promise<void> {
  const loyalty = { serviceName: 'loyalty', version: '1.0.0', endpoint: 'http://loyalty:8080' }
  await ask('/register', { json: { ...loyalty, dependencies: [{ serviceName: 'cart', version: '^3' }] } })
  const { body } = await ask('/services?name=cart')
  const [{ serviceName, version, endpoint, dependencies }] = body.services
  await ask('/register', {
    json: { serviceName, version, endpoint, dependencies, tags: ['business', 'critical'] },
    headers: { 'X-Coordinator-Actor': 'release' },
  })
}

describe('console: what people want to know', () => {
  for (const [task, { clicks, keys, work }] of Object.entries(tasks))
    itInBrowser(`takes less than a minute: ${task}`, () => {
      let agoMs = HALF_HOUR_MS
      const inner = new MemoryStore({ now: () => Date.now() - agoMs })
      return withConsole(
        async ({ server, page, open }) => {
          agoMs = 0
          await change(server)
          await open()
          await shown(page, 'Overview')
          const person = new Person(page)
          await work(person, page)
          console.info(
            `${task}: ${person.clicks} clicks, ${person.keys} keys, ${person.seconds.toFixed(1)} s`,
          )
          expect([person.clicks, person.keys]).toEqual([clicks, keys])
          expect(person.seconds).toBeLessThan(LONGEST_S)
        },
        { server: { inner } },
      )
    })
})
