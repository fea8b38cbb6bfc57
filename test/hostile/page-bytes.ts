import { describe, expect, it } from 'vitest'
import { ask, registration, type Serving, serving } from '../main/coordinator-process.ts'
import { HealthWatch } from './process-figures.ts'

/** What the services of a page take at most. */
const pageBytes = 8 * 1024 * 1024
/** What is around them. */
const envelope = 64 * 1024

/** A registration as large as one can be: nearly 1 MiB, most of it characters of four bytes. */
function large(number: number) {
  const wide = (text: string) => `${text}${'\u{1f980}'.repeat(240)}`
  return registration(`large-${String(number).padStart(4, '0')}`, {
    metadata: { text: 'x'.repeat(16_000) },
    migrationFile: { text: 'x'.repeat(260_000) },
    dependencies: Array.from({ length: 256 }, (_, at) => ({
      serviceName: wide(`d-${at}-`),
      version: wide('^1'),
      type: '\u{1f980}'.repeat(80),
    })),
  })
}

/** Tests that pages of large services end at 8 MiB, and that their cursors reach all. */
export function pagesOfLargeServices(count: number): void {
  describe(`${count} services of 1 MiB each`, () => {
    it('come in pages of 8 MiB at most, now and at a moment, and as a journal; the cursors reach all', async () => {
      await using coordinator = await serving({ nodeArgs: ['--max-old-space-size=3000'] })
      let revision = 0
      for (let number = 0; number < count; number += 1) {
        const { status, body } = await ask(`${coordinator.url}/register`, 'POST', large(number))
        expect(status).toBe(201)
        revision = body.revision
      }
      await using watch = new HealthWatch(coordinator.url, coordinator.process.child.pid as number)
      for (const moment of ['', `&asOf=${revision}`]) expect(await list(coordinator, moment)).toBe(count)
      expect(await journal(coordinator)).toBe(count)
      expect(watch.failures).toBe(0)
    }, 600_000)
  })
}

async function list({ url }: Serving, moment: string): Promise<number> {
  const names = new Set<string>()
  for (let cursor = ''; ; ) {
    const { status, text } = await page(`${url}/services?limit=1000${moment}${cursor}`)
    expect(status).toBe(200)
    const { services, nextCursor } = JSON.parse(text)
    expect(services.length).toBeGreaterThan(1)
    for (const { serviceName } of services) names.add(serviceName)
    if (nextCursor === undefined) return names.size
    cursor = `&cursor=${nextCursor}`
  }
}

async function journal({ url }: Serving): Promise<number> {
  let found = 0
  for (let after = '0'; ; ) {
    const { status, text } = await page(`${url}/changes?limit=1000&after=${after}`)
    expect(status).toBe(200)
    const { entries, next, more } = JSON.parse(text)
    found += entries.length
    if (!more) return found
    after = next
  }
}

async function page(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url)
  const text = await response.text()
  expect(Buffer.byteLength(text)).toBeLessThan(pageBytes + envelope)
  return { status: response.status, text }
}
