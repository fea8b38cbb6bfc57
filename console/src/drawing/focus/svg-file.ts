/** What the colours of a drawing depend on; in a file there is no style sheet. */
const COPIED = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linecap',
  'stroke-linejoin',
  'paint-order',
  'opacity',
  'font-family',
  'font-weight',
] as const

/**
 * A drawing as an SVG file that looks the same without the console: everything at the scale 1, with the colours of the theme.
 *
 * @param drawing the `svg` of a focus drawing
 */
export function svgFile(
  drawing: SVGSVGElement,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement
  const [from, to] = [drawing.querySelectorAll('*'), copy.querySelectorAll('*')]
  for (const [at, element] of from.entries()) {
    const style = getComputedStyle(element)
    const target = to[at]
    if (target === undefined || element.tagName === 'title') continue
    for (const name of COPIED) {
      const value = style.getPropertyValue(name)
      if (value !== '' && value !== 'none' && value !== 'normal' && value !== '1')
        target.setAttribute(name, value)
      else if (name === 'fill' && value === 'none') target.setAttribute(name, value)
    }
    for (const name of ['class', 'tabindex', 'role', 'aria-pressed', 'aria-label'])
      target.removeAttribute(name)
  }
  // Wider lines that only catch the pointer.
  for (const reach of copy.querySelectorAll('[stroke="transparent"], [stroke="rgba(0, 0, 0, 0)"]'))
    reach.remove()
  copy.querySelector('g')?.removeAttribute('transform')
  for (const name of ['class', 'role']) copy.removeAttribute(name)
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('viewBox', `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`)
  copy.setAttribute('width', String(Math.ceil(width)))
  copy.setAttribute('height', String(Math.ceil(height)))
  const back = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  for (const [name, value] of Object.entries({ width: '100%', height: '100%' }))
    back.setAttribute(name, value)
  back.setAttribute('fill', getComputedStyle(drawing.parentElement ?? drawing).backgroundColor)
  copy.prepend(back)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`
}
