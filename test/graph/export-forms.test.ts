import { describe, expect, it } from 'vitest'
import type { EdgeJson, NodeJson } from '../../src/graph/derive/describe.ts'
import { exportGraph, type FormatName, graphFormats } from '../../src/graph/export/export-graph.ts'

const metadata = {
  totalServices: 1,
  activeServices: 0,
  nodes: 0,
  edges: 0,
  revision: 7,
  lastUpdated: '2026-01-31T12:00:00.000Z',
  complete: true,
}

const node = (type: string, data: NodeJson['data'] = {}): NodeJson => ({
  id: `${type}:x`,
  label: 'x',
  type,
  namespace: 'default',
  data,
})
const edge = (origin: string): EdgeJson => ({
  id: `a:x,t,b:x,${origin}`,
  source: 'a:x',
  target: 'b:x',
  type: 't',
  origin,
  revision: 3,
  data: {},
})

function linesOf(format: FormatName, nodes: readonly NodeJson[], edges: readonly EdgeJson[] = []): string[] {
  const text = [...exportGraph(graphFormats[format], { metadata, nodes, edges })].join('')
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Types that whoever asserts a node may choose. */
const inherited = ['constructor', 'toString', 'hasOwnProperty', 'valueOf']

describe('an exported graph draws each kind of node and edge in its own way', () => {
  it('dot: by shapes and lines, also of types that every object has', () => {
    const shapeOf = (type: string, data?: NodeJson['data']) =>
      /shape="(.*)"\];$/.exec(linesOf('dot', [node(type, data)])[2] ?? '')?.[1]
    expect(
      ['service', 'api', 'table', 'event', 'capability', 'team', 'other', ...inherited].map((type) =>
        shapeOf(type),
      ),
    ).toEqual([
      'box',
      'cds',
      'cylinder',
      'hexagon',
      'ellipse',
      'house',
      'oval',
      ...inherited.map(() => 'oval'),
    ])
    expect(shapeOf('service', { unresolved: true })).toBe('box", style="dashed')
    const lines = linesOf('dot', [], ['declared', 'asserted', 'observed'].map(edge))
    expect(lines.slice(2, 5)).toEqual([
      '"a:x" -> "b:x" [label="t"];',
      '"a:x" -> "b:x" [label="t", style="dashed"];',
      '"a:x" -> "b:x" [label="t", style="dotted"];',
    ])
  })

  it('mermaid: by shapes and arrows, and one number a node', () => {
    expect(
      linesOf(
        'mermaid',
        ['service', 'table', 'event', 'team', ...inherited].map((type) => node(type)),
      ),
    ).toEqual([
      '%% knowledge graph at revision 7',
      'flowchart LR',
      'n0["x"]',
      'n1[("x")]',
      'n2{{"x"}}',
      'n3(["x"])',
      ...inherited.map((_, at) => `n${at + 4}(["x"])`),
    ])
    const arrows = linesOf('mermaid', [node('a'), node('b')], ['declared', 'asserted', 'observed'].map(edge))
    expect(arrows.slice(4)).toEqual(['n0 -->|"t"| n1', 'n0 -.->|"t"| n1', 'n0 -.->|"t"| n1'])
  })

  it('graphml: with the revision, the time and the kinds of white space', () => {
    const lines = linesOf('graphml', [{ ...node('a'), label: 'a\tb\nc\rd' }], [edge('observed')])
    const text = lines.join('\n')
    expect(text).toContain('<data key="graphRevision">7</data>')
    expect(text).toContain('<data key="lastUpdated">2026-01-31T12:00:00.000Z</data>')
    expect(text).toContain('<data key="label">a&#9;b&#10;c&#13;d</data>')
    expect(text).toContain('<data key="origin">observed</data><data key="revision">3</data>')
  })
})
