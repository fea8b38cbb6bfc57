import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { adminToken, withAccess } from '../../http/with-access.ts'
import { type ServerScope, type ServerSetup, withServer } from '../../http/with-server.ts'
import { itUnless } from '../../support/it-with.ts'
import { builtConsole } from './built-console.ts'
import { findBrowser } from './find-browser.ts'
import { Front, type Prefix } from './front.ts'
import { PageFaults } from './page-faults.ts'
import { addRecords, type Records } from './records.ts'

const found = await findBrowser()

/** `it` for tests with a browser: skipped, with the reason in the title, where none starts. */
export const itInBrowser = itUnless(typeof found === 'string' ? found : undefined)

export interface ConsoleSetup {
  /** @default 'demo': the OpenTelemetry demo */
  readonly records?: Records
  /** Whether callers need a token: `scope.token` is one that may do everything. @default false */
  readonly auth?: boolean
  /** Where a proxy has the coordinator. @default at its root */
  readonly prefix?: Prefix
  /** Of the first page, in pixels. @default 1280 x 800 */
  readonly viewport?: { readonly width: number; readonly height: number }
  /** @default 'light' */
  readonly colorScheme?: 'light' | 'dark'
  readonly reducedMotion?: 'reduce'
  /** Further arguments of Chromium, such as those that switch WebGL off. */
  readonly args?: readonly string[]
  readonly server?: ServerSetup
}

/** A coordinator with records, and a page in a browser. */
export interface ConsoleScope {
  /** The coordinator: `server.ask` sends requests to it, `server.store.outage()` takes its database away, and `heal()` gives it back. */
  readonly server: ServerScope
  readonly browser: Browser
  readonly context: BrowserContext
  readonly page: Page
  /** Everything that must not happen on any page. The test fails for it at its end. */
  readonly faults: PageFaults
  /** The URL of the coordinator for the browser, behind the prefix, without a slash at its end. */
  readonly url: string
  /** A token that may do everything; `undefined` without `auth`. */
  readonly token: string | undefined
  /** Opens a page of the console. @param path such as `graph?of=service:cart` */
  open(path?: string): Promise<void>
  /** Another page of the same browser: it is watched, too. */
  newPage(): Promise<Page>
  /** The browser reaches the coordinator no more. */
  goAway(): Promise<void>
  /** And again. @param port of a coordinator that takes the place of the first one */
  comeBack(port?: number): Promise<void>
  /** Writes a picture that a person can look at: reports/console/NAME.png. */
  picture(name: string): Promise<void>
  /** @throws Error with what people with assistive technology cannot use, if it is serious */
  checkAccessible(): Promise<void>
}

/** Runs a test with the console in a browser, and ends everything afterwards. It fails if a page had a fault. */
export async function withConsole(
  body: (scope: ConsoleScope) => Promise<void>,
  setup: ConsoleSetup = {},
): Promise<void> {
  const consoleFolder = await builtConsole()
  const { prefix, records = 'demo', auth = false } = setup
  const server: ServerSetup = {
    ...setup.server,
    consoleFolder,
    settings: {
      ...(prefix === undefined || prefix.strips ? {} : { basePath: prefix.path }),
      ...setup.server?.settings,
    },
  }
  const token = auth ? adminToken : undefined
  const run = async (scope: ServerScope) => {
    await addRecords(scope, records, token)
    const front = new Front(scope.port, prefix)
    await front.comeBack()
    try {
      await inBrowser(setup, front.url, async (opened) => {
        await body({
          ...opened,
          ...{ server: scope, token },
          goAway: () => front.goAway(),
          comeBack: (port) => front.comeBack(port),
        })
      })
    } finally {
      await front.goAway()
    }
  }
  await (auth ? withAccess(run, server) : withServer(run, server))
}

type Opened = Omit<ConsoleScope, 'server' | 'token' | 'goAway' | 'comeBack'>

async function inBrowser(
  { viewport = { width: 1280, height: 800 }, colorScheme = 'light', reducedMotion, args = [] }: ConsoleSetup,
  url: string,
  body: (opened: Opened) => Promise<void>,
): Promise<void> {
  if (typeof found === 'string') throw new Error(`There is no browser: ${found}.`)
  const browser = await chromium.launch({ ...found, args: [...args] })
  const faults = new PageFaults()
  try {
    const context = await browser.newContext({
      ...{ viewport, colorScheme },
      ...(reducedMotion === undefined ? {} : { reducedMotion }),
    })
    context.setDefaultTimeout(45_000)
    const newPage = async () => {
      const made = await context.newPage()
      await faults.watch(made, new URL(url).origin)
      return made
    }
    const page = await newPage()
    await body({
      ...{ browser, context, page, faults, url, newPage },
      async open(path = '') {
        await page.goto(`${url}/console/${path}`)
      },
      async picture(name) {
        const folder = resolve('reports/console')
        mkdirSync(folder, { recursive: true })
        await page.screenshot({ path: join(folder, `${name}.png`) })
      },
      checkAccessible: () => checkAccessible(page),
    })
    faults.check()
  } finally {
    await browser.close()
  }
}

async function checkAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  if (serious.length === 0) return
  const told = serious.map(({ id, help, nodes }) => {
    const places = nodes
      .slice(0, 5)
      .map(({ target, failureSummary }) => `    ${target.join(' ')}: ${failureSummary}`)
    return `  ${id}: ${help}\n${places.join('\n')}`
  })
  throw new Error(`Not everybody can use the page:\n${told.join('\n')}`)
}
