import type { Tone } from '../model/tones.ts'

/** The colours of the theme as a canvas needs them: without custom properties. */
export interface MapColours {
  readonly tone: (tone: Tone) => string
  readonly text: string
  readonly back: string
  readonly edge: string
  readonly lit: string
  readonly faded: string
  readonly fadedEdge: string
}

export function mapColours(): MapColours {
  // A canvas does not resolve `var()`; the browser does it for a property that is a colour.
  const probe = document.createElement('span')
  probe.hidden = true
  document.body.append(probe)
  const resolved = (name: string): string => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const tones = new Map<Tone, string>()
  const names = [
    'up',
    'down',
    'expired',
    'unknown',
    'missing',
    'plain',
    'c0',
    'c1',
    'c2',
    'c3',
    'c4',
    'c5',
    'c6',
    'c7',
  ]
  for (const tone of names) tones.set(tone, hex(resolved(`tone-${tone}`)))
  const colours = {
    text: hex(resolved('node-text')),
    back: hex(resolved('node-back')),
    edge: hex(resolved('map-edge')),
    lit: hex(resolved('edge-lit')),
    faded: hex(resolved('map-faded')),
    fadedEdge: hex(resolved('map-faded-edge')),
  }
  probe.remove()
  const plain = tones.get('plain') ?? colours.edge
  return { ...colours, tone: (tone) => tones.get(tone) ?? plain }
}

/** WebGL programs read `#rrggbb`. */
function hex(colour: string): string {
  const parts = /^rgba?\((\d+)[, ]+(\d+)[, ]+(\d+)/.exec(colour)
  if (parts === null) return '#888888'
  return `#${parts
    .slice(1, 4)
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`
}
