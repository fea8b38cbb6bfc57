import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { rootUrl } from '../root-url.ts'

/** The members of a place's query. `undefined` and an empty list leave a member out. */
export type PlaceQuery = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** Members that every link keeps, because they are about the whole console. */
export const KEPT_MEMBERS = ['asOf', 'namespace'] as const

/** The console's own address, with a slash at the end. */
const consoleUrl = new URL('console/', rootUrl)

const place = signal(new URL(window.location.href))
window.addEventListener('popstate', () => {
  place.value = new URL(window.location.href)
})

/** The path of the page: `/` or `/graph`. */
export const path: ReadonlySignal<string> = computed(() => {
  const { pathname } = place.value
  const base = consoleUrl.pathname
  return pathname.startsWith(base) ? `/${pathname.slice(base.length).replace(/\/+$/, '')}` : '/'
})

/** One member of the query; an empty one counts as absent. A component that reads it is rendered again when it changes. */
export function query(name: string): string | undefined {
  return queryAll(name)[0]
}

/** All values of a repeated member that are not empty. */
export function queryAll(name: string): readonly string[] {
  return place.value.searchParams.getAll(name).filter((value) => value !== '')
}

/** The moment that the console shows: a revision, or a time; `undefined` is now. */
export const asOf: ReadonlySignal<string | undefined> = computed(() => query('asOf'))

/** The namespace that the console shows; `undefined` is all of them. */
export const namespace: ReadonlySignal<string | undefined> = computed(() => query('namespace'))

/** The address of a place. It keeps the global members, unless `query` names them. */
export function hrefOf(to: string, members: PlaceQuery = {}): string {
  // As a path: `to` may come from the address bar, and as a URL `https://other` or `//other` would lead to another server.
  const url = new URL(consoleUrl)
  url.pathname += to.replace(/^\/+/, '')
  const kept = Object.fromEntries(KEPT_MEMBERS.map((name) => [name, query(name)]))
  for (const [name, value] of Object.entries({ ...kept, ...members }))
    for (const text of [value].flat())
      if (text !== undefined && text !== '') url.searchParams.append(name, String(text))
  // Ids have colons, which a query may contain: `of=service:cart` is easier to read.
  url.search = url.search.replaceAll('%3A', ':').replaceAll('%2C', ',')
  return url.href
}

/** This page with other members of the query, for a link: `<Link {...hereWith({ asOf: 42 })}>`. */
export function hereWith(members: PlaceQuery): { readonly to: string; readonly query: PlaceQuery } {
  return { to: path.value, query: { ...presentMembers(place.value), ...members } }
}

function presentMembers({ searchParams }: URL): Record<string, readonly string[]> {
  return Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]))
}

interface Going {
  /** Takes the place of the present entry of the browser's history: for every letter of a filter. @default false */
  readonly replace?: boolean
}

/** Goes to a page. */
export function navigate(to: string, members: PlaceQuery = {}, { replace = false }: Going = {}): void {
  go(hrefOf(to, members), replace)
}

/** Changes members of the query of this page, and keeps the others. */
export function setQuery(members: PlaceQuery, { replace = true }: Going = {}): void {
  go(hrefOf(path.peek(), { ...presentMembers(place.peek()), ...members }), replace)
}

function go(href: string, replace: boolean): void {
  if (href === window.location.href) return
  if (replace) window.history.replaceState(null, '', href)
  else window.history.pushState(null, '', href)
  place.value = new URL(href)
}
