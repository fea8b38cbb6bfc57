import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { type ConsoleSetup, itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

/** What moves on the page, or would move at the next change of the pointer or of the data. */
function moving(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const takesTime = (durations: string) => durations.split(',').some((text) => Number.parseFloat(text) > 0)
    const found = [...document.querySelectorAll('*')].filter((element) => {
      const { animationName, animationDuration, transitionDuration, scrollBehavior } =
        getComputedStyle(element)
      const isAnimated = animationName !== 'none' && takesTime(animationDuration)
      return isAnimated || takesTime(transitionDuration) || scrollBehavior === 'smooth'
    })
    return [...new Set(found.map((element) => element.getAttribute('class') ?? element.tagName))]
  })
}

/** On each page, and while each page waits for its first answer. */
async function allMoving({ page, open }: { page: Page; open: (path?: string) => Promise<void> }) {
  const found: string[] = []
  // The route stays: taking it away while a question is on its way can lose the question.
  let held = Promise.resolve()
  await page.route(
    (url) => /^\/(services|knowledge-graph|database)/.test(url.pathname),
    async (route) => {
      await held
      await route.continue()
    },
  )
  for (const [path, title] of [
    ['', 'Overview'],
    ['services', 'Services'],
    ['graph?of=cart', 'Graph'],
    ['database', 'Database'],
  ] as const) {
    const { promise, resolve: release } = Promise.withResolvers<void>()
    held = promise
    await open(path)
    await page.locator('.state-loading').first().waitFor()
    found.push(...(await moving(page)))
    release()
    await shown(page, title)
    if (path.startsWith('graph')) await page.locator('[data-drawn="6"]').waitFor()
    found.push(...(await moving(page)))
  }
  return [...new Set(found)]
}

describe('console: movement', () => {
  const views: readonly [string, ConsoleSetup, boolean][] = [
    ['there is some where nobody objects: what the next test looks for exists', {}, true],
    ['there is none for people who want less of it', { reducedMotion: 'reduce' }, false],
  ]
  for (const [what, setup, moves] of views)
    itInBrowser(what, () =>
      withConsole(async (scope) => {
        const found = await allMoving(scope)
        if (moves) expect(found).toEqual(expect.arrayContaining(['spinner', expect.stringMatching(/^node/)]))
        else expect(found).toEqual([])
      }, setup),
    )
})
