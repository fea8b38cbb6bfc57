import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

interface Rows {
  readonly count: number
  /** In pixels, if the place scrolls and only some rows are in the document. */
  readonly rowHeight: number | undefined
}

interface RowKeys {
  /** The row that Tab reaches. */
  readonly active: number
  readonly onKeyDown: (event: KeyboardEvent) => void
}

const PAGE_ROWS = 15

/** Arrow keys, Page Up and Down, Home and End between rows that have `data-row`. Enter clicks the first link of the row. */
export function useRowKeys(place: RefObject<HTMLElement | null>, { count, rowHeight }: Rows): RowKeys {
  const [active, setActive] = useState(0)
  const wanted = useRef<number | undefined>(undefined)

  // A row that was outside of the window is in the document only after the next rendering.
  useLayoutEffect(() => {
    if (wanted.current === undefined) return
    const row = place.current?.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`)
    if (row === null || row === undefined) return
    wanted.current = undefined
    row.focus({ preventScroll: rowHeight !== undefined })
  })

  const goTo = (index: number) => {
    const next = Math.max(0, Math.min(count - 1, index))
    wanted.current = next
    setActive(next)
    if (rowHeight !== undefined) scrollTo(place.current, next, rowHeight)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const row = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('[data-row]') : null
    if (row === null || event.ctrlKey || event.metaKey || event.altKey) return
    // Keys may come quicker than the focus moves: the next step begins where the last one wanted to go.
    const at = wanted.current ?? Number(row.dataset['row'])
    const targets: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + PAGE_ROWS,
      PageUp: at - PAGE_ROWS,
      Home: 0,
      End: count - 1,
    }
    const target = targets[event.key]
    if (target !== undefined) {
      event.preventDefault()
      goTo(target)
    } else if (event.key === 'Enter' && event.target === row) {
      event.preventDefault()
      row.querySelector<HTMLElement>('a, button')?.click()
    }
  }
  return { active: Math.min(active, Math.max(0, count - 1)), onKeyDown }
}

/** The head of the table covers the first row of the place. */
function scrollTo(place: HTMLElement | null, index: number, rowHeight: number): void {
  if (place === null) return
  const top = index * rowHeight
  const visible = place.clientHeight - 2 * rowHeight
  if (top < place.scrollTop) place.scrollTop = top
  else if (top > place.scrollTop + visible) place.scrollTop = top - visible
}
