import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { shownText } from '../drawing/text/shown-text.ts'
import { path } from '../state/location.ts'

interface PageProps {
  readonly title: string
  /** Shown instead of the title, for a title with marks in it. `title` stays the name of the tab. */
  readonly heading?: ComponentChildren
  /** One sentence below the title. */
  readonly lead?: ComponentChildren
  /** Controls beside the title. */
  readonly toolbar?: ComponentChildren
  /** Uses the whole width and height, for drawings. @default false */
  readonly wide?: boolean
  readonly children: ComponentChildren
}

/** The path whose title had the focus last. The first page of a visit leaves the focus to the browser. */
let focusedPath: string | undefined

/** The frame of a page: title, tools, contents. After a change of the page, screen readers begin at its title. */
export function Page({ title, heading, lead, toolbar, wide = false, children }: PageProps) {
  const place = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${shownText(title)} - Coordinator`
  }, [title])
  useLayoutEffect(() => {
    if (focusedPath !== undefined && focusedPath !== path.peek()) {
      window.scrollTo(0, 0)
      place.current?.focus({ preventScroll: true })
    }
    focusedPath = path.peek()
  }, [])
  return (
    <div class={wide ? 'page page-wide' : 'page'}>
      <header class="page-head">
        <div class="page-titles">
          <h1 ref={place} tabIndex={-1}>
            {heading ?? title}
          </h1>
          {lead !== undefined && <p class="page-lead">{lead}</p>}
        </div>
        {toolbar !== undefined && <div class="toolbar">{toolbar}</div>}
      </header>
      {children}
    </div>
  )
}

interface PanelProps {
  readonly title: string
  /** Beside the title: a number, a time, a link. */
  readonly aside?: ComponentChildren
  readonly class?: string
  readonly children: ComponentChildren
}

/** A part of a page with a title. */
export function Panel({ title, aside, class: name = '', children }: PanelProps) {
  return (
    <section class={`panel ${name}`} aria-label={title}>
      <header class="panel-head">
        <h2>{title}</h2>
        {aside !== undefined && <div class="panel-aside">{aside}</div>}
      </header>
      {children}
    </section>
  )
}
