import { useEffect, useRef, useState } from 'preact/hooks'
import { ZoomButtons } from '../focus/zoom-buttons.tsx'
import { isAbortOf } from '../workers/is-abort-of.ts'
import { places } from './ask-places.ts'
import type { MapGraph } from './map-graph.ts'
import type { SigmaMap } from './sigma-map.ts'
import '../drawing.css'

export interface MapViewProps {
  readonly map: MapGraph
  /** What the map shows, for screen readers. */
  readonly title: string
  readonly selected: string | undefined
  readonly onPick: (id: string | undefined) => void
  /** The colours are those of the theme when the map is drawn: it is drawn again for another one. */
  readonly theme: string
}

const KEY_STEP = 0.15

/** Up to two thousand circles. Its code and WebGL are loaded when somebody looks at a map. */
export function MapView({ map, title, selected, onPick, theme }: MapViewProps) {
  const place = useRef<HTMLDivElement>(null)
  const shown = useRef<SigmaMap | undefined>(undefined)
  const pick = useRef(onPick)
  pick.current = onPick
  const [state, setState] = useState<'pending' | 'drawn' | { readonly fault: string }>('pending')

  useEffect(() => {
    const aborting = new AbortController()
    const { signal } = aborting
    setState('pending')
    const draw = async () => {
      if (!hasWebGl()) return setState({ fault: 'This browser has no WebGL 2, which the map needs.' })
      const [found, { SigmaMap }] = await Promise.all([places.ask(map, signal), import('./sigma-map.ts')])
      if (signal.aborted || place.current === null) return
      shown.current = new SigmaMap(place.current, map, found, {
        onPick: (id) => pick.current(id),
        onPickNothing: () => pick.current(undefined),
      })
      shown.current.select(selected)
      setState('drawn')
    }
    draw().catch((error: unknown) => {
      if (!isAbortOf(signal, error))
        setState({ fault: error instanceof Error ? error.message : String(error) })
    })
    return () => {
      aborting.abort()
      shown.current?.end()
      shown.current = undefined
    }
  }, [map, theme])

  useEffect(() => shown.current?.select(selected), [selected])

  function onKeyDown(event: KeyboardEvent): void {
    const map = shown.current
    const { key } = event
    if (map === undefined) return
    if (key === 'ArrowLeft') map.move(-KEY_STEP, 0)
    else if (key === 'ArrowRight') map.move(KEY_STEP, 0)
    else if (key === 'ArrowUp') map.move(0, KEY_STEP)
    else if (key === 'ArrowDown') map.move(0, -KEY_STEP)
    else if (key === '+' || key === '=') map.zoom(1.4)
    else if (key === '-') map.zoom(1 / 1.4)
    else if (key === '0') map.showAll()
    else return
    event.preventDefault()
  }

  const fault = typeof state === 'object' ? state.fault : undefined
  return (
    <div
      class="map-view"
      aria-busy={state === 'pending'}
      data-drawn={state === 'drawn' ? map.items.length : 0}
    >
      <div class="drawing-frame">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the map */}
        <div ref={place} class="map" role="img" aria-label={title} tabIndex={0} onKeyDown={onKeyDown} />
        {state === 'pending' && (
          <p class="drawing-state" role="status">
            Drawing {map.items.length} circles ...
          </p>
        )}
        {fault !== undefined && (
          <p class="drawing-fault" role="alert">
            The map cannot be drawn: {fault} The table shows the same.
          </p>
        )}
        {state === 'drawn' && (
          <ZoomButtons
            zoom={(factor) => shown.current?.zoom(factor)}
            showAll={() => shown.current?.showAll()}
          />
        )}
      </div>
    </div>
  )
}

function hasWebGl(): boolean {
  const context = document.createElement('canvas').getContext('webgl2')
  // Browsers allow few contexts: this one is given back at once.
  context?.getExtension('WEBGL_lose_context')?.loseContext()
  return context !== null
}
