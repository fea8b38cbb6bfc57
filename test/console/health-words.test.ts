import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

/** Coordinators share no heartbeats: each knows only those that it received, and another one may say something else. */
describe('console: the health of a service', () => {
  itInBrowser('is always what this coordinator has heard, and every page says so', () =>
    withConsole(
      async ({ page, open, server }) => {
        const register = async (serviceName: string) => {
          const json = { serviceName, version: '1.0.0', endpoint: `http://${serviceName}:1`, ttlSeconds: 300 }
          return (await server.ask('/register', { json })).body.serviceId as string
        }
        const beat = async (id: string, status: string) =>
          server.ask(`/services/${id}/heartbeat`, { method: 'PUT', json: { status } })
        const [well, ill] = [await register('well'), await register('ill')]
        await register('silent')
        await beat(well, 'up')
        await beat(ill, 'down')

        await open('services')
        await shown(page, 'Services')
        await page.getByText('Health comes from the heartbeats that this coordinator received.').waitFor()
        const titles = await page
          .locator('tbody .health')
          .evaluateAll((marks) => marks.map((mark) => mark.getAttribute('title')))
        expect(titles.sort()).toEqual([
          'The last heartbeat that this coordinator received says down.',
          'The last heartbeat that this coordinator received says up.',
          'This coordinator has received no heartbeat since it started.',
        ])
        await open()
        await shown(page, 'Overview')
        const problem = page.locator('.problem', { hasText: '1 service down' })
        expect(await problem.textContent()).toContain('heartbeat that this coordinator received says down')
        await open(`service?id=${ill}`)
        await shown(page, 'ill down')
        await page.getByText(/^This coordinator received one \d+ s ago/).waitFor()
        await open('service?name=silent')
        await page.getByText(/^This coordinator has received none/).waitFor()
      },
      { records: 'none' },
    ),
  )
})
