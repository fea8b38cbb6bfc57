import type { ComponentType } from 'preact'
import type { IconName } from './parts/icon.tsx'

/** A page of the console, in the order of the navigation. Its code is loaded when somebody opens it. */
export interface PageEntry {
  /** `/graph`: the address is `console/graph`. */
  readonly path: string
  /** The words in the navigation; `undefined` for a page that only links lead to. */
  readonly title: string | undefined
  readonly icon: IconName
  readonly load: () => Promise<ComponentType>
}

export const pages: readonly PageEntry[] = [
  {
    path: '/',
    title: 'Overview',
    icon: 'overview',
    load: () => import('./pages/overview/overview-page.tsx').then(({ OverviewPage }) => OverviewPage),
  },
  {
    path: '/services',
    title: 'Services',
    icon: 'services',
    load: () => import('./pages/services/services-page.tsx').then(({ ServicesPage }) => ServicesPage),
  },
  {
    path: '/service',
    title: undefined,
    icon: 'services',
    load: () => import('./pages/service/service-page.tsx').then(({ ServicePage }) => ServicePage),
  },
  {
    path: '/graph',
    title: 'Graph',
    icon: 'graph',
    load: () => import('./pages/graph/graph-page.tsx').then(({ GraphPage }) => GraphPage),
  },
  {
    path: '/time',
    title: 'Time',
    icon: 'time',
    load: () => import('./pages/time/time-page.tsx').then(({ TimePage }) => TimePage),
  },
  {
    path: '/what-if',
    title: 'What if',
    icon: 'what-if',
    load: () => import('./pages/what-if/what-if-page.tsx').then(({ WhatIfPage }) => WhatIfPage),
  },
  {
    path: '/database',
    title: 'Database',
    icon: 'database',
    load: () => import('./pages/database/database-page.tsx').then(({ DatabasePage }) => DatabasePage),
  },
  {
    path: '/access',
    title: 'Access',
    icon: 'access',
    load: () => import('./pages/access/access-page.tsx').then(({ AccessPage }) => AccessPage),
  },
]

/** The entry of the navigation to which a page belongs. */
export function sectionOf(path: string): string {
  return path === '/service' ? '/services' : path
}
