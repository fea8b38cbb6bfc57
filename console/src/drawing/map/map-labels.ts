import type { NodeHoverDrawingFunction, NodeLabelDrawingFunction } from 'sigma/rendering'
import type { MapColours } from './map-colours.ts'

/** The name beside a circle, with a border in the colour of the background, so that it can be read above lines. */
export function drawLabel({ text, back }: MapColours): NodeLabelDrawingFunction {
  return (context, data, settings) => {
    if (!data.label) return
    context.font = `${settings.labelWeight} ${settings.labelSize}px ${settings.labelFont}`
    context.lineJoin = 'round'
    context.lineWidth = 4
    context.strokeStyle = back
    context.fillStyle = text
    const after = data.x + data.size + 4
    const { width } = context.measureText(data.label)
    // At the right edge it would be cut off.
    const x = after + width > context.canvas.clientWidth ? data.x - data.size - 4 - width : after
    const y = data.y + settings.labelSize / 3
    context.strokeText(data.label, x, y)
    context.fillText(data.label, x, y)
  }
}

/** The circle under the pointer: its name in a box. */
export function drawHover({ text, back, lit }: MapColours): NodeHoverDrawingFunction {
  return (context, data, settings) => {
    if (!data.label) return
    context.font = `${settings.labelWeight} ${settings.labelSize}px ${settings.labelFont}`
    const width = context.measureText(data.label).width
    const [left, height] = [data.x - data.size - 4, Math.max(data.size * 2 + 8, settings.labelSize + 12)]
    context.beginPath()
    context.roundRect(left, data.y - height / 2, data.size * 2 + width + 18, height, height / 2)
    context.fillStyle = back
    context.strokeStyle = lit
    context.lineWidth = 1.5
    context.fill()
    context.stroke()
    context.fillStyle = text
    context.fillText(data.label, data.x + data.size + 5, data.y + settings.labelSize / 3)
  }
}
