import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Until a page shows its contents, and not only its frame. */
export async function shown(page: Page, title: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: title }).waitFor()
  await expect.poll(() => page.locator('.state-loading').count()).toBe(0)
}
