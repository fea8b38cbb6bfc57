import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** A button that opens a box with controls. Escape and a click elsewhere close it. */
export function Menu({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  const place = useRef<HTMLDetailsElement>(null)
  useLayoutEffect(() => {
    const close = (event: Event) => {
      const { current } = place
      if (current === null || !current.open) return
      const byKey = event instanceof KeyboardEvent
      if (byKey && event.key !== 'Escape') return
      if (!byKey && event.target instanceof Node && current.contains(event.target)) return
      current.open = false
      if (byKey) current.querySelector('summary')?.focus()
    }
    document.addEventListener('pointerdown', close)
    document.addEventListener('keydown', close)
    return () => {
      document.removeEventListener('pointerdown', close)
      document.removeEventListener('keydown', close)
    }
  }, [])
  return (
    <details ref={place} class="menu">
      <summary class="button">{label}</summary>
      <div class="menu-box">{children}</div>
    </details>
  )
}
