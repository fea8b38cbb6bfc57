import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** The rows that are in the document: from `first`, up to and without `end`. */
export interface RowWindow {
  readonly first: number
  readonly end: number
}

interface Windowing {
  readonly count: number
  /** In pixels; all rows have the same height. */
  readonly rowHeight: number
  /** Rows above and below what is visible, so that quick scrolling shows no gaps. */
  readonly overscan: number
}

/** The rows that a scrolling element shows. Ten thousand rows need only some forty elements. */
export function useWindow(
  place: RefObject<HTMLElement | null>,
  { count, rowHeight, overscan }: Windowing,
): RowWindow {
  const [{ top, height }, setView] = useState({ top: 0, height: 800 })
  useEffect(() => {
    const { current } = place
    if (current === null) return undefined
    const measure = () => {
      // Whole rows, so that scrolling by a few pixels renders nothing.
      const seen = Math.floor(current.scrollTop / rowHeight) * rowHeight
      setView((before) =>
        before.top === seen && before.height === current.clientHeight
          ? before
          : { top: seen, height: current.clientHeight },
      )
    }
    measure()
    current.addEventListener('scroll', measure, { passive: true })
    const observer = new ResizeObserver(measure)
    observer.observe(current)
    return () => {
      current.removeEventListener('scroll', measure)
      observer.disconnect()
    }
  }, [place, rowHeight])
  const visible = Math.ceil(height / rowHeight)
  // The list may have become shorter than the place to which it was scrolled.
  const start = Math.min(Math.floor(top / rowHeight), Math.max(0, count - visible))
  return { first: Math.max(0, start - overscan), end: Math.min(count, start + visible + overscan) }
}
