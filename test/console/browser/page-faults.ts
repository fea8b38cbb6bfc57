import type { Page } from 'playwright-core'

/** Chromium ends its connections when the machine gets or loses a network interface, as containers of other tests make them. */
const machineChanged = /net::ERR_NETWORK_CHANGED/

/** Notes what must not happen on a page: errors in its console, violations of its policy, requests to other servers. */
export class PageFaults {
  readonly #seen: string[] = []
  readonly #expected: RegExp[] = []
  readonly #tolerated: RegExp[] = [machineChanged]

  /** Must be called before the page loads anything. @param origin the only server that it may ask */
  async watch(page: Page, origin: string): Promise<void> {
    page.on('console', (message) => {
      if (message.type() === 'error') this.#seen.push(`console: ${message.text()} ${message.location().url}`)
    })
    page.on('pageerror', (error) => this.#seen.push(`page: ${error.stack ?? error.message}`))
    page.on('request', (request) => {
      const { protocol, origin: asked } = new URL(request.url())
      if (protocol !== 'data:' && asked !== origin)
        this.#seen.push(`request to another server: ${request.url()}`)
    })
    await page.exposeBinding('reportViolation', (_, text: string) => this.#seen.push(`policy: ${text}`))
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const { violatedDirective, blockedURI, sourceFile, lineNumber } = event
        const report = Reflect.get(window, 'reportViolation') as (text: string) => void
        report(`${violatedDirective} blocked ${blockedURI} (${sourceFile}:${lineNumber})`)
      })
    })
  }

  /** A fault that the test causes, such as /status of 401/: it must happen, and may happen several times. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern)
  }

  /** A fault that may happen or not, because it depends on the moment. */
  tolerate(pattern: RegExp): void {
    this.#tolerated.push(pattern)
  }

  /** @throws Error naming every fault that nobody expected, and every expected one that did not happen */
  check(): void {
    const known = [...this.#expected, ...this.#tolerated]
    const unexpected = this.#seen.filter((fault) => !known.some((pattern) => pattern.test(fault)))
    const missing = this.#expected.filter((pattern) => !this.#seen.some((fault) => pattern.test(fault)))
    const told = [...new Set(unexpected), ...missing.map((pattern) => `did not happen: ${pattern}`)]
    if (told.length > 0) throw new Error(`The page has faults:\n  ${told.join('\n  ')}`)
  }
}
