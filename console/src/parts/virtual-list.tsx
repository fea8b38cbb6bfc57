import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { useWindow } from './use-window.ts'

interface VirtualListProps<T> {
  readonly label: string
  readonly items: readonly T[]
  /** In pixels. Items of another height would overlap. */
  readonly rowHeight: number
  readonly keyOf: (item: T) => string
  readonly children: (item: T, index: number) => ComponentChildren
}

/** A list of any length, of which only the visible part is in the document. Its height comes from the style of `class`. */
export function VirtualList<T>({ label, items, rowHeight, keyOf, children }: VirtualListProps<T>) {
  const place = useRef<HTMLElement>(null)
  const { first, end } = useWindow(place, { count: items.length, rowHeight, overscan: 8 })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must scroll by keyboard, too
    <section ref={place} class="virtual-list" aria-label={label} tabIndex={0}>
      <ul style={{ height: `${items.length * rowHeight}px` }}>
        {items.slice(first, end).map((item, at) => (
          <li
            key={keyOf(item)}
            aria-setsize={items.length}
            aria-posinset={first + at + 1}
            style={{ top: `${(first + at) * rowHeight}px`, height: `${rowHeight}px` }}
          >
            {children(item, first + at)}
          </li>
        ))}
      </ul>
    </section>
  )
}
