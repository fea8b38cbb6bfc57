import { once } from 'node:events'
import { JSDOM } from 'jsdom'
import { describe, expect, it } from 'vitest'
import { until } from '../support/with-live.ts'
import { adminToken, withAccess } from './with-access.ts'
import { cart, register, type ServerScope, withServer } from './with-server.ts'

/** The page as a browser has it, with its script running. */
async function openReference({ url, ask }: ServerScope, path = '/docs'): Promise<Document> {
  const { text } = await ask(path)
  const { window } = new JSDOM(text, {
    url: url + path,
    runScripts: 'dangerously',
    resources: 'usable',
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
  await once(window, 'load')
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
      find<HTMLSelectElement>(registering, 'select[name=dryRun]').value = ''
      expect(await send(registering)).toMatch(/^201 Created {2}POST \/register[\s\S]*"serviceId"/)
      const id = await register(scope, { ...cart, serviceName: 'a/b' })
      const reading = find<HTMLFormElement>(page, '#getServicesByServiceId form')
      find<HTMLInputElement>(reading, 'input[name=serviceId]').value = id
      find<HTMLInputElement>(reading, 'input[name=minRevision]').value = '1'
      expect(await send(reading)).toContain(`GET /services/${id}?minRevision=1`)
      expect(find(reading, '.answer').textContent).toContain('"serviceName": "a/b"')
    }))

  it('stores nothing when a registration is tried, unless its reader chooses to', () =>
    withServer(async (scope) => {
      const form = find<HTMLFormElement>(await openReference(scope), '#postRegister form')
      expect(find(form, '.caution').textContent).toMatch(/stores nothing.*writes to the running registry/)
      expect(await send(form)).toMatch(/^200 OK {2}POST \/register\?dryRun=true/)
      expect(scope.live.view.revision).toBe(0)
      find<HTMLSelectElement>(form, 'select[name=dryRun]').value = 'false'
      find(form, '.answer').textContent = ''
      expect(await send(form)).toMatch(/^201 Created/)
      expect(scope.live.view.revision).toBe(1)
    }))

  it('says of each form that writes that it writes, and of no other', () =>
    withServer(async (scope) => {
      const page = await openReference(scope)
      const writing = [...page.querySelectorAll('article')].filter(
        (article) => article.querySelector('.caution') !== null,
      )
      expect(writing.map(({ id }) => id).sort()).toEqual([
        'deleteKnowledgeGraphEdgesById',
        'deleteKnowledgeGraphNodesById',
        'deleteServicesByServiceId',
        'deleteTokensById',
        'patchKnowledgeGraphEdgesById',
        'patchKnowledgeGraphNodesById',
        'postRegister',
        'postRegisterBatch',
        'postRegisterByServiceIdMigration',
        'postTokens',
        'putKnowledgeGraphEdgesById',
        'putKnowledgeGraphNodesById',
        'putServicesByServiceIdHeartbeat',
      ])
    }))

  it('has each form above the errors, and offers the values of an enumeration', () =>
    withServer(async (scope) => {
      await register(scope)
      const page = await openReference(scope)
      for (const article of page.querySelectorAll('article')) {
        const [form, errors] = [find(article, 'form.try'), find(article, 'table.answers')]
        expect(form.compareDocumentPosition(errors)).toBe(4)
      }
      const form = find<HTMLFormElement>(page, '#getServices form')
      const options = (name: string) =>
        [...find<HTMLSelectElement>(form, `select[name=${name}]`).options].map(({ value }) => value)
      expect(options('health')).toEqual(['', 'unknown', 'up', 'down', 'expired'])
      expect(options('status')).toEqual(['', 'pending_migration', 'active'])
      find<HTMLSelectElement>(form, 'select[name=health]').value = 'down'
      expect(await send(form)).toMatch(/GET \/services\?health=down[\s\S]*"total": 0/)
      const formats = find<HTMLSelectElement>(page, '#getKnowledgeGraph select[name=format]')
      expect(formats.options[0]?.textContent).toBe('default: json')
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
      const groups = [...page.querySelectorAll<HTMLElement>('aside section')].filter(({ hidden }) => !hidden)
      expect(groups.map((group) => find(group, 'h2').textContent)).toEqual(['registry', 'More'])
      const none = find<HTMLElement>(page, '#none')
      expect(none.hidden).toBe(true)
      filter.value = 'nothing like this'
      filter.dispatchEvent(new (page.defaultView as unknown as typeof globalThis).Event('input'))
      expect(none.hidden).toBe(false)
      filter.value = ''
      filter.dispatchEvent(new (page.defaultView as unknown as typeof globalThis).Event('input'))
      expect(
        [...page.querySelectorAll<HTMLElement>('aside section, #none')].map(({ hidden }) => hidden),
      ).toEqual([true, false, false, false, false, false, false])
      expect(find(page, '#postRegister pre code').textContent).toContain(`curl "${scope.url}/register"`)
    }))
})
