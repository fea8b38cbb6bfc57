import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/**
 * How long people take for one action, in seconds: the keystroke-level model (Card, Moran, Newell 1980). To point and click is 1.1 + 0.2, to
 * decide for it 1.35, and a key of somebody who types 40 words a minute 0.28.
 */
const CLICK_S = 1.35 + 1.1 + 0.2
const KEY_S = 0.28

/** Where the focus is, and whether a person sees it. */
export interface Focus {
  readonly name: string
  readonly seen: boolean
}

/** Somebody who works with a page: it counts what they do. */
export class Person {
  readonly #page: Page
  readonly #began = performance.now()
  clicks = 0
  keys = 0

  constructor(page: Page) {
    this.#page = page
  }

  /** What the task took so far, in seconds: the hands of a person, and the waiting for the page. */
  get seconds(): number {
    return this.clicks * CLICK_S + this.keys * KEY_S + (performance.now() - this.#began) / 1_000
  }

  async click(what: Locator): Promise<void> {
    this.clicks += 1
    await what.click()
  }

  async type(text: string): Promise<void> {
    this.keys += text.length
    await this.#page.keyboard.type(text)
  }

  async press(key: string): Promise<void> {
    this.keys += 1
    await this.#page.keyboard.press(key)
  }

  /**
   * Presses Tab, or Shift+Tab, until something with this name has the focus.
   *
   * @throws AssertionError if the focus cannot be seen at a stop on the way
   */
  async tabTo(name: string | RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    const stops: string[] = []
    for (let stop = 0; stop < 90; stop += 1) {
      await this.press(key)
      const focus = await this.focus()
      stops.push(focus.name)
      expect([focus.name, focus.seen]).toEqual([focus.name, true])
      if (typeof name === 'string' ? focus.name === name : name.test(focus.name)) return
    }
    throw new Error(`Tab does not reach ${name}. It stops at: ${stops.join(' | ')}`)
  }

  focus(): Promise<Focus> {
    return this.#page.evaluate(() => {
      const element = document.activeElement ?? document.body
      const words = (found: Element | null | undefined) => found?.textContent?.replaceAll(/\s+/g, ' ').trim()
      const isField = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
      const label = isField ? element.labels?.[0] : undefined
      const name = element.getAttribute('aria-label') ?? words(label) ?? words(element)?.slice(0, 80) ?? ''
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const box = element.querySelector('.box')
      const isMarked =
        (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) ||
        (box !== null && getComputedStyle(box).filter !== 'none')
      const { top, bottom, left, right, width } = element.getBoundingClientRect()
      const isInside = bottom > 0 && right > 0 && top < window.innerHeight && left < window.innerWidth
      return { name, seen: isMarked && isInside && width > 0 }
    })
  }
}
