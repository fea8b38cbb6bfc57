import type { ComponentChildren } from 'preact'
import { hrefOf, navigate, type PlaceQuery } from '../state/location.ts'
import { Foreign } from './foreign.tsx'

interface LinkProps {
  /** The page, such as `/graph`. */
  readonly to: string
  readonly query?: PlaceQuery
  readonly class?: string
  readonly title?: string
  /** The page that is shown now. */
  readonly current?: boolean
  readonly children: ComponentChildren
}

/** A link to a place in the console. It is a real one: it can be copied, and opened in another tab. */
export function Link({ to, query = {}, class: name, title, current = false, children }: LinkProps) {
  return (
    <a
      href={hrefOf(to, query)}
      class={name}
      title={title}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        navigate(to, query)
      }}
    >
      {children}
    </a>
  )
}

/** A value that somebody registered. It becomes a link only if it is an http(s) address: `javascript:` must never be one. */
export function OuterLink({ value }: { readonly value: string }) {
  if (!isWebAddress(value)) return <Foreign text={value} class="mono wrap" />
  return (
    <a href={value} target="_blank" rel="noopener noreferrer nofollow" class="mono wrap">
      <Foreign text={value} />
    </a>
  )
}

export function isWebAddress(value: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(value).protocol)
  } catch {
    return false
  }
}
