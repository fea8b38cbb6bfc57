import type { BrowserContextOptions, Page } from 'playwright-core'
import { hostileServices } from '../test/console/hostile-services.ts'

/** Sends JSON to the coordinator. @throws Error if it refuses */
export type Send = (method: string, path: string, body: unknown) => Promise<unknown>

export interface Shot {
  readonly name: string
  readonly address: string
  /** Of the browser, such as JavaScript switched off. The screen is 1280 x 800 without it. */
  readonly browser?: BrowserContextOptions
  /** What a person does before the picture is taken. */
  readonly act?: (page: Page) => Promise<void>
}

/** A coordinator in a state that people meet, and what they look at then. */
export interface ConsoleState {
  readonly env?: Readonly<Record<string, string>>
  /** Whether the coordinator ever reads its records. It listens before. @default true */
  readonly starts?: boolean
  readonly fill?: (send: Send) => Promise<void>
  readonly shots: readonly Shot[]
}

const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
}
const ADMIN_TOKEN = 'the-secret-of-the-pictures-is-long-enough'

const longWord = 'recommendation-engine-for-the-checkout-of-partners-in-the-european-region'

/** 500 services in a chain of fives, with names as long as people make them. */
function manyServices(): readonly object[] {
  return Array.from({ length: 500 }, (_, at) => ({
    serviceName: `${longWord}-${at}`,
    version: `${1 + (at % 3)}.0.0-rc.${at}+build.20261130`,
    endpoint: `https://${longWord}-${at}.namespace-of-the-team.svc.cluster.local:8443/api/v2`,
    tags: [
      'business',
      `team-${longWord.slice(0, 30)}`,
      'critical',
      'eu-central',
      'payments',
      `wave-${at % 7}`,
    ],
    metadata: { owner: `Team ${at % 9} of ${longWord}` },
    dependencies: at % 5 === 0 ? [] : [`${longWord}-${at - 1}`],
  }))
}

/** With the demo and its history, which `console-pictures.ts` has registered. */
export const demoShots: readonly Shot[] = [
  { name: 'graph-problems', address: 'graph' },
  { name: 'graph-cycles', address: 'graph?show=cycles' },
  { name: 'graph-dependencies', address: 'graph?of=service:checkout&show=dependencies' },
  { name: 'graph-paths', address: 'graph?show=paths&of=service:frontend&to=service:flagd' },
  { name: 'graph-paths-unchosen', address: 'graph?show=paths' },
  { name: 'graph-selected', address: 'graph?of=service:cart&selected=service:cart' },
  { name: 'graph-by-tag', address: 'graph?of=service:cart&depth=2&colour=tag' },
  { name: 'graph-no-node', address: 'graph?of=service:nowhere' },
  { name: 'map-opened', address: 'graph?show=map&groupBy=tag&open=business' },
  { name: 'map-of-all', address: 'graph?show=map&groupBy=none' },
  { name: 'time-past', address: 'time?asOf=12' },
  { name: 'time-compared', address: 'time?from=20' },
  { name: 'time-compared-390', address: 'time?from=20', browser: phone },
  { name: 'what-if-breaks', address: 'what-if?remove=service:flagd' },
  { name: 'what-if-breaks-390', address: 'what-if?remove=service:flagd', browser: phone },
  { name: 'what-if-version', address: 'what-if?version=service:cart%3D4.0.0' },
  { name: 'services-none-found', address: 'services?q=nothing-has-this' },
  { name: 'no-such-service', address: 'service?name=nowhere' },
  { name: 'no-such-page', address: 'nowhere' },
  { name: 'overview-past', address: '?asOf=12' },
  {
    name: 'overview-search',
    address: '',
    act: (page) => page.getByRole('searchbox').fill('database'),
  },
  {
    name: 'menu-390',
    address: '',
    browser: phone,
    act: (page) => page.getByRole('button', { name: 'Menu' }).tap(),
  },
  {
    name: 'services-columns',
    address: 'services',
    act: (page) => page.getByText('Columns').click(),
  },
  {
    name: 'coordinator-away',
    address: 'services',
    act: async (page) => {
      await page.route('**/*', (route) => route.abort())
      await page.waitForTimeout(12_000)
    },
  },
  {
    name: 'token-created',
    address: 'access',
    act: async (page) => {
      await page.getByLabel('Name').fill('pipeline-of-the-shop')
      await page.getByRole('button', { name: 'Create the token' }).click()
    },
  },
  { name: 'no-javascript', address: '', browser: { javaScriptEnabled: false } },
  { name: 'no-javascript-dark', address: '', browser: { javaScriptEnabled: false, colorScheme: 'dark' } },
  { name: 'overview-reduced-motion', address: '', browser: { reducedMotion: 'reduce' } },
  ...[
    '',
    'services',
    'graph?of=service:cart&selected=service:cart',
    'time',
    'what-if?remove=service:flagd',
  ].flatMap((address): readonly Shot[] => {
    const name = address.split('?')[0] || 'overview'
    return [
      { name: `${name}-more-contrast`, address, browser: { contrast: 'more' } },
      { name: `${name}-more-contrast-dark`, address, browser: { contrast: 'more', colorScheme: 'dark' } },
      { name: `${name}-forced-colours`, address, browser: { forcedColors: 'active' } },
      {
        name: `${name}-zoomed-twice`,
        address,
        browser: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
      },
    ]
  }),
]

const everyPage = ['', 'services', 'graph', 'graph?show=map', 'time', 'what-if', 'database'] as const

function shotsOf(state: string, addresses: readonly string[]): readonly Shot[] {
  return addresses.map((address) => ({
    name: `${state}-${address.replace(/[^a-zA-Z]+/g, '-') || 'overview'}`,
    address,
  }))
}

export const consoleStates: readonly ConsoleState[] = [
  { shots: shotsOf('empty', everyPage) },
  {
    fill: (send) =>
      send('POST', '/register', {
        serviceName: 'cart',
        version: '1.0.0',
        endpoint: 'http://cart:8080',
        dependencies: ['flagd'],
      }).then(() => undefined),
    shots: shotsOf('one', [...everyPage, 'service?name=cart']),
  },
  {
    fill: async (send) => {
      for (const list of [manyServices(), hostileServices]) await send('POST', '/register/batch', list)
    },
    shots: [
      ...shotsOf('many', [...everyPage, 'graph?show=map&groupBy=none']),
      { name: 'many-service', address: `service?name=${longWord}-7` },
      { name: 'many-graph-of', address: `graph?of=service:${longWord}-7&selected=service:${longWord}-7` },
      { name: 'hostile-service', address: `service?name=${encodeURIComponent('שלום עולם')}` },
      { name: 'hostile-services', address: 'services?sort=version' },
      { name: 'many-services-390', address: 'services', browser: phone },
      { name: 'many-overview-390', address: '', browser: phone },
    ],
  },
  {
    env: { AUTH: 'required', AUTH_ADMIN_TOKEN: ADMIN_TOKEN },
    shots: [
      { name: 'sign-in', address: '' },
      { name: 'sign-in-390', address: '', browser: phone },
      {
        name: 'sign-in-refused',
        address: '',
        act: async (page) => {
          await page.getByLabel('Token').fill('not-a-token')
          await page.getByRole('button', { name: 'Sign in' }).click()
        },
      },
    ],
  },
  // Nothing listens at port 9: the database does not answer.
  {
    starts: false,
    env: { DATABASE_URL: 'postgres://coordinator@127.0.0.1:9/coordinator' },
    shots: shotsOf('no-database', everyPage),
  },
]
