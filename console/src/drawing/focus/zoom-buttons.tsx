export interface ZoomButtonsProps {
  readonly zoom: (factor: number) => void
  readonly showAll: () => void
}

export function ZoomButtons({ zoom, showAll }: ZoomButtonsProps) {
  return (
    <fieldset class="zoom-buttons" aria-label="Size of the drawing">
      <button type="button" onClick={() => zoom(1.25)} aria-label="Enlarge" title="Enlarge (+)">
        +
      </button>
      <button type="button" onClick={() => zoom(0.8)} aria-label="Reduce" title="Reduce (-)">
        −
      </button>
      <button type="button" onClick={showAll} title="Show everything (0)">
        Fit
      </button>
    </fieldset>
  )
}
