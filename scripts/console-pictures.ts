/**
 * Takes a picture of each page of the console, with a real system in it: light and dark, on a telephone, a notebook and a large screen.
 * They are for people to look at.
 *
 * `node scripts/console-pictures.ts [FOLDER]`, by default reports/console. It needs a Chromium: see test/console/browser/find-browser.ts.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'
import { createCoordinator } from '../src/coordinator.ts'
import { findBrowser } from '../test/console/browser/find-browser.ts'
import { buildConsole } from './build-console.ts'

const pages: Readonly<Record<string, string>> = {
  overview: '',
  services: 'services',
  service: 'service?name=cart',
  graph: 'graph?of=service:cart',
  impact: 'graph?of=service:flagd&show=impact',
  map: 'graph?show=map&groupBy=tag',
  time: 'time',
  'what-if': 'what-if',
  database: 'database',
  access: 'access',
}
const sizes = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
] as const
/** How long a page may take to ask and draw, in milliseconds. A page that follows the journal is never without requests. */
const quietMs = 1_500

const [folder = 'reports/console'] = process.argv.slice(2)
const found = await findBrowser()
if (typeof found === 'string') {
  process.stderr.write(`console-pictures: there is no browser (${found}). Set CHROMIUM to the path of one.\n`)
  process.exit(1)
}
await buildConsole('dist/console')
mkdirSync(folder, { recursive: true })
const coordinator = await createCoordinator({ port: 0 })
await coordinator.start()
const browser = await chromium.launch({ ...found })
try {
  await addHistory()
  for (const colorScheme of ['light', 'dark'] as const)
    for (const viewport of sizes) {
      const context = await browser.newContext({ viewport, colorScheme })
      const page = await context.newPage()
      for (const [name, address] of Object.entries(pages))
        await take(page, { name: `${name}-${viewport.width}-${colorScheme}`, address })
      await context.close()
    }
} finally {
  await browser.close()
  await coordinator.stop()
}

/** A system that grew in steps: each service registered alone, some of them changed, and one gone. */
async function addHistory(): Promise<void> {
  const services = JSON.parse(readFileSync('examples/data/opentelemetry-demo.json', 'utf8')) as {
    version: string
  }[]
  for (const service of services) await send('POST', '/register', service)
  const cart = services.find((service) => 'serviceName' in service && service.serviceName === 'cart')
  for (const version of ['3.0.1', '3.1.0']) await send('POST', '/register', { ...cart, version })
  const { services: found } = (await (await fetch(`${coordinator.url}/services?q=mail`)).json()) as {
    readonly services: readonly { readonly serviceId: string }[]
  }
  for (const { serviceId } of found) await send('PUT', `/services/${serviceId}/heartbeat`, { status: 'down' })
}

async function send(method: string, path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-coordinator-actor': 'ada' }
  const answer = await fetch(coordinator.url + path, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
}

async function take(
  page: Page,
  { name, address }: { readonly name: string; readonly address: string },
): Promise<void> {
  await page.goto(`${coordinator.url}/console/${address}`)
  await page.locator('#console > *').first().waitFor()
  await pause(quietMs)
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  process.stdout.write(`${path}\n`)
}
