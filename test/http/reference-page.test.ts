import { JSDOM } from 'jsdom'
import { describe, expect, it } from 'vitest'
import { until } from '../support/with-live.ts'
import { adminToken, withAccess } from './with-access.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

/** The page as a browser has it, with its script running. */
async function openReference({ url, ask }: ServerScope): Promise<Document> {
  const { text } = await ask('/docs')
  const { window } = new JSDOM(text, {
    url: `${url}/docs`,
    runScripts: 'dangerously',
    beforeParse(page) {
      // What browsers have and jsdom does not.
      Object.assign(page, {
        IntersectionObserver: class {
          observe(): void {}
        },
        fetch: (path: string, init: RequestInit) => fetch(new URL(path, url), init),
      })
    },
  })
  return window.document
}

function find<T extends Element>(place: ParentNode, selector: string): T {
  const found = place.querySelector<T>(selector)
  if (found === null) throw new Error(`The page has no ${selector}.`)
  return found
}

async function send(form: HTMLFormElement): Promise<string> {
  find<HTMLButtonElement>(form, 'button').click()
  const answer = find(form, '.answer')
  await until(() => answer.textContent !== '')
  return answer.textContent ?? ''
}

describe('http: the reference page', () => {
  it('sends what was typed, and shows the answer', () =>
    withServer(async (scope) => {
      const page = await openReference(scope)
      const registering = find<HTMLFormElement>(page, '#postRegister form')
      expect(await send(registering)).toMatch(/^201 Created {2}POST \/register[\s\S]*"serviceId"/)
      const id = await register(scope, { ...cart, serviceName: 'a/b' })
      const reading = find<HTMLFormElement>(page, '#getServicesByServiceId form')
      find<HTMLInputElement>(reading, 'input[name=serviceId]').value = id
      find<HTMLInputElement>(reading, 'input[name=minRevision]').value = '1'
      expect(await send(reading)).toContain(`GET /services/${id}?minRevision=1`)
      expect(find(reading, '.answer').textContent).toContain('"serviceName": "a/b"')
    }))

  it('sends the token in its field with each request, and keeps it nowhere else', () =>
    withAccess(async (scope) => {
      const page = await openReference(scope)
      const reading = find<HTMLFormElement>(page, '#getServices form')
      expect(await send(reading)).toMatch(/^401 Unauthorized[\s\S]*COORD_AUTH_REQUIRED/)
      const field = find<HTMLInputElement>(page, '#token')
      expect([field.type, field.autocomplete, field.form]).toEqual(['password', 'off', null])
      field.value = ` ${adminToken} `
      find(reading, '.answer').textContent = ''
      expect(await send(reading)).toMatch(/^200 OK/)
      const { localStorage, sessionStorage, location } = page.defaultView as Window
      expect([localStorage.length, sessionStorage.length, page.cookie]).toEqual([0, 0, ''])
      expect(location.href).toBe(`${scope.url}/docs`)
      expect(page.documentElement.outerHTML).not.toContain(adminToken)
    }))

  it('says of each operation who may use it', () =>
    withServer(async (scope) => {
      const page = await openReference(scope)
      const scopeOf = (id: string) => find(page, `#${id} .scope`).textContent
      expect(scopeOf('getHealth')).toBe('Scope: read or metrics')
      expect(scopeOf('postTokens')).toBe('Scope: admin')
      expect(scopeOf('getAccess')).toBe('Any credential')
      expect(scopeOf('getHealthReady')).toBe('Public: no credential is needed')
    }))

  it('takes filters by metadata as a URL has them', () =>
    withServer(async (scope) => {
      await register(scope, { ...cart, metadata: { team: 'a b' } })
      const form = find<HTMLFormElement>(await openReference(scope), '#getServices form')
      const input = find<HTMLInputElement>(form, 'input[name=metadata]')
      expect(input.placeholder).toBe('metadata.team=checkout')
      input.value = 'metadata.team=a b'
      expect(await send(form)).toMatch(/GET \/services\?metadata\.team=a\+b[\s\S]*"total": 1/)
    }))

  it('marks what may not be left out, and sends nothing without it', () =>
    withServer(async (scope) => {
      const page = await openReference(scope)
      const asking = find(page, '#getKnowledgeGraphImpact')
      const rows = [...asking.querySelectorAll('tr')].map((row) => row.textContent ?? '')
      expect(rows.find((row) => row.startsWith('of'))).toMatch(/^ofrequired/)
      expect(rows.find((row) => row.startsWith('depth'))).not.toContain('required')
      const form = find<HTMLFormElement>(asking, 'form')
      expect(form.checkValidity()).toBe(false)
      find<HTMLInputElement>(form, 'input[name=of]').value = 'flagd'
      expect(form.checkValidity()).toBe(true)
    }))

  it('filters its list, and writes its examples for the server that it came from', () =>
    withServer(async (scope) => {
      const page = await openReference(scope)
      const filter = find<HTMLInputElement>(page, '#filter')
      filter.value = 'delete services'
      filter.dispatchEvent(new (page.defaultView as unknown as typeof globalThis).Event('input'))
      const shown = [...page.querySelectorAll<HTMLElement>('aside li')].filter((item) => !item.hidden)
      expect(shown.map((item) => item.textContent)).toContain('DELDeregister a service')
      expect(shown.some((item) => item.textContent?.includes('Register a service'))).toBe(false)
      expect(find(page, '#postRegister pre code').textContent).toContain(`curl "${scope.url}/register"`)
    }))
})
