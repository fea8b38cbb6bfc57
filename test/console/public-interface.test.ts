import { describe, expect } from 'vitest'
import { itInBrowser, withConsole } from './browser/with-console.ts'
import { shown } from './shown.ts'

describe('console: what it asks the coordinator', () => {
  itInBrowser(
    'is in the description of the API, where every program finds it',
    () =>
      withConsole(async ({ page, open, server, url }) => {
        const { body } = await server.ask('/openapi.json')
        const described = Object.entries(body.paths as Record<string, Record<string, unknown>>).flatMap(
          ([path, operations]) =>
            Object.keys(operations).map((method) => ({
              method: method.toUpperCase(),
              form: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
            })),
        )
        const asked = new Set<string>()
        page.on('request', (request) => {
          const { pathname } = new URL(request.url().slice(url.length), 'http://coordinator')
          if (!pathname.startsWith('/console/')) asked.add(`${request.method()} ${pathname}`)
        })
        for (const [path, title] of [
          ['', 'Overview'],
          ['services', 'Services'],
          ['service?name=cart', 'cart'],
          ['graph', 'Graph'],
          ['graph?show=impact&of=flagd', 'Graph'],
          ['graph?show=paths&of=frontend&to=flagd', 'Graph'],
          ['graph?show=map&groupBy=tag', 'Graph'],
          ['time', 'Time'],
          ['time?from=20', 'Time'],
          ['what-if?remove=service:cart', 'What if'],
          ['database', 'Database'],
          ['access', 'Access'],
        ] as const) {
          await open(path)
          await shown(page, title)
        }
        expect(asked.size).toBeGreaterThan(12)
        const secret = [...asked].filter((question) => {
          const [method, path = ''] = question.split(' ')
          return !described.some((one) => one.method === method && one.form.test(path))
        })
        expect(secret).toEqual([])
      }),
    // Twelve pages, where other tests run beside them, in milliseconds.
    120_000,
  )
})
