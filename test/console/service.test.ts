import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

const run = promisify(execFile)

const basket = {
  serviceName: 'basket',
  // Under the name of an instance, the version may change.
  instanceId: 'one',
  version: '4.0.0',
  endpoint: 'grpc://basket:7070',
  dependencies: ['flagd', { serviceName: 'valkey-cart', version: '^9' }],
  tags: ['demo', 'critical'],
  metadata: { owner: 'team-shop', runbook: 'https://runbooks.example/basket', chat: 'javascript:alert(1)' },
  ttlSeconds: 300,
}

describe('console: the page of a service', () => {
  itInBrowser('tells when it changed last, by whom, and what', () =>
    withConsole(async ({ page, open, server, checkAccessible, picture }) => {
      await server.ask('/register', { json: { ...basket, version: '3.0.0' } })
      await server.ask('/register', { json: basket })
      await open('services?q=basket')
      await page.getByRole('link', { name: 'basket', exact: true }).click()
      await shown(page, 'basket')
      const last = page.locator('.happened').first()
      const text = await last.textContent()
      expect(text).toMatch(/updated by http:127\.0\.0\.1.*just now \d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*r30/)
      const version = last.locator('li', { hasText: 'version' })
      expect([
        await version.locator('del').textContent(),
        await version.locator('ins').textContent(),
      ]).toEqual(['before: 3.0.0', 'after: 4.0.0'])
      await page.getByRole('link', { name: 'https://runbooks.example/basket' }).waitFor()
      expect(
        await page
          .getByText('javascript:alert(1)')
          .first()
          .evaluate((text) => text.closest('a')),
      ).toBeNull()
      await checkAccessible()
      await picture('service-changed')
    }),
  )

  itInBrowser('shows dependencies both ways, with their ranges, and leads along them', () =>
    withConsole(async ({ page, open, server }) => {
      await server.ask('/register', { json: basket })
      await server.ask('/register', { json: { ...basket, serviceName: 'till', dependencies: ['basket'] } })
      await open('service?name=basket&in=default')
      await shown(page, 'basket')
      const needs = page.getByRole('table', { name: 'It needs (2)' })
      await expect
        .poll(() => needs.locator('tbody tr').allTextContents())
        .toEqual(['flagdservicedepends ona registration', 'valkey-cartservicedepends on ^9a registration'])
      await page
        .getByRole('table', { name: /^It is needed by/ })
        .getByRole('link', { name: 'till' })
        .click()
      await shown(page, 'till')
      const link = await page.getByRole('link', { name: 'What would break without it?' }).getAttribute('href')
      expect(link).toContain('/console/what-if?remove=service:till')
    }),
  )

  itInBrowser('lists instances with their versions, and tells the age of the heartbeat', () =>
    withConsole(async ({ page, open, server }) => {
      await server.ask('/register', { json: basket })
      const { body } = await server.ask('/register', {
        json: { ...basket, instanceId: 'two', version: '5.0.0' },
      })
      await server.ask(`/services/${body.serviceId}/heartbeat`, { method: 'PUT', json: { status: 'up' } })
      await open(`service?id=${body.serviceId}`)
      await shown(page, 'basket up')
      await page
        .getByText(/This coordinator received one \d+ s ago\. The service promised one every 5 min\./)
        .waitFor()
      await page.getByRole('region', { name: '2 instances' }).getByText('1 x 4.0.0, 1 x 5.0.0').waitFor()
    }),
  )

  itInBrowser('shows a service that was deregistered as it was last', () =>
    withConsole(async ({ page, open, server, faults }) => {
      faults.expect(/status of 404/)
      const { body } = await server.ask('/services?name=cart')
      const [{ serviceId }] = body.services
      await server.ask(`/services/${serviceId}`, { method: 'DELETE' })
      await open(`service?id=${serviceId}`)
      await shown(page, 'cart')
      await page.getByText(/^Deregistered just now/).waitFor()
      await page.locator('.happened-deregistered').waitFor()
      await open('service?id=nothing')
      await page.getByRole('alert').filter({ hasText: 'COORD_SERVICE_NOT_FOUND' }).waitFor()
    }),
  )

  itInBrowser('gives commands that run, and none for a name that nobody can read', () =>
    withConsole(async ({ page, open, server }) => {
      await open('service?name=cart')
      await shown(page, 'cart')
      const command = await page.locator('.copy-text').first().textContent()
      // Not every machine has curl: the words after it are what the shell has to get right.
      const { stdout } = await run('sh', ['-c', `set -- ${command}; printf '%s' "$2"`])
      const { body } = await server.ask(new URL(stdout).pathname)
      expect(body.service.serviceName).toBe('cart')
      const name = '\u202Egnissap'
      await server.ask('/register', { json: { ...basket, serviceName: name, dependencies: [] } })
      await open(`service?name=${encodeURIComponent(name)}`)
      await shown(page, '\ufffdgnissap')
      // The address has the name percent-encoded, and its JSON has the escape of the sign.
      await page.getByText('Raw JSON').click()
      await page.getByText('No command is offered').waitFor({ state: 'detached' })
    }),
  )
})
