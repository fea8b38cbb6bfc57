/**
 * Takes a picture of each page of the console, with a real system in it: light and dark, on a telephone, a notebook and a large screen.
 * Then of the states that people meet as well: nothing registered, no database, long names, other settings of the browser.
 * They are for people to look at.
 *
 * `node scripts/console-pictures.ts [--whole] [FOLDER]`, by default reports/console. `--whole` takes the whole page, and not only the part
 * that is seen first. It needs a Chromium: see test/console/browser/find-browser.ts.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { chromium, type Page } from 'playwright-core'
import { createCoordinator } from '../src/coordinator.ts'
import { findBrowser } from '../test/console/browser/find-browser.ts'
import { buildConsole } from './build-console.ts'
import { type ConsoleState, consoleStates, demoShots, type Send, type Shot } from './console-states.ts'

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

const {
  values: { whole },
  positionals: [folder = 'reports/console'],
} = parseArgs({ allowPositionals: true, options: { whole: { type: 'boolean', default: false } } })
const found = await findBrowser()
if (typeof found === 'string') {
  process.stderr.write(`console-pictures: there is no browser (${found}). Set CHROMIUM to the path of one.\n`)
  process.exit(1)
}
await buildConsole('dist/console')
mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({ ...found })
try {
  await withCoordinator({ shots: demoShots }, async (url) => {
    await addHistory(url)
    for (const colorScheme of ['light', 'dark'] as const)
      for (const viewport of sizes) {
        const touch = viewport.width < 500
        const context = await browser.newContext({ viewport, colorScheme, isMobile: touch, hasTouch: touch })
        const page = await context.newPage()
        for (const [name, address] of Object.entries(pages))
          await take(page, url, { name: `${name}-${viewport.width}-${colorScheme}`, address })
        await context.close()
      }
    for (const shot of demoShots) await takeAlone(url, shot)
  })
  for (const state of consoleStates)
    await withCoordinator(state, async (url) => {
      await state.fill?.(sendTo(url))
      for (const shot of state.shots) await takeAlone(url, shot)
    })
} finally {
  await browser.close()
}

async function withCoordinator(
  { env = {}, starts = true }: ConsoleState,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const coordinator = await createCoordinator({ port: 0, env })
  const started = coordinator.start()
  if (starts) await started
  else await Promise.race([started, pause(quietMs)])
  try {
    await body(coordinator.url)
  } finally {
    await coordinator.stop()
    // A start that waits for its database ends with COORD_SHUTTING_DOWN.
    await Promise.allSettled([started])
  }
}

/** A system that grew in steps: each service registered alone, some of them changed, and one gone. */
async function addHistory(url: string): Promise<void> {
  const send = sendTo(url)
  const services = JSON.parse(readFileSync('examples/data/opentelemetry-demo.json', 'utf8')) as {
    version: string
  }[]
  for (const service of services) await send('POST', '/register', service)
  const cart = services.find((service) => 'serviceName' in service && service.serviceName === 'cart')
  for (const version of ['3.0.1', '3.1.0']) await send('POST', '/register', { ...cart, version })
  const { services: found } = (await (await fetch(`${url}/services?q=mail`)).json()) as {
    readonly services: readonly { readonly serviceId: string }[]
  }
  for (const { serviceId } of found) await send('PUT', `/services/${serviceId}/heartbeat`, { status: 'down' })
}

function sendTo(url: string): Send {
  return async (method, path, body) => {
    const headers = { 'content-type': 'application/json', 'x-coordinator-actor': 'ada' }
    const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
  }
}

/** In a browser of its own, which has never been there. */
async function takeAlone(url: string, shot: Shot): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...shot.browser })
  await take(await context.newPage(), url, shot)
  await context.close()
}

async function take(page: Page, url: string, { name, address, act }: Shot): Promise<void> {
  await page.goto(`${url}/console/${address}`)
  await page.locator('#console > *, noscript').first().waitFor({ state: 'attached' })
  // What still loads after that waits for the database: a picture of it is wanted, too.
  for (let waited = 0; waited < 10_000 && (await page.locator('.state-loading').count()) > 0; waited += 250)
    await pause(250)
  await pause(quietMs)
  if (act !== undefined) {
    await act(page)
    await pause(quietMs)
  }
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path, fullPage: whole })
  process.stdout.write(`${path}\n`)
}
