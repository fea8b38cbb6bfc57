import { instance } from '@viz-js/viz'
import cytoscape from 'cytoscape'
import { DirectedGraph, MultiDirectedGraph } from 'graphology'
import { parse as parseGraphml } from 'graphology-graphml'
import { JSDOM } from 'jsdom'
import { beforeAll, describe, expect, it } from 'vitest'
import { Describer, type EdgeJson, type NodeJson } from '../../src/graph/derive/describe.ts'
import { DetachedGraph } from '../../src/graph/derive/detached-graph.ts'
import { exportGraph, type FormatName, graphFormats } from '../../src/graph/export/export-graph.ts'
import { canonicalJson, type JsonObject } from '../../src/records/canonical-json.ts'

/** Names that are syntax somewhere. */
const hostile = [
  'plain',
  '"); drop table services; --',
  '<script>alert("x")</script>',
  ']]> & &amp; \' "',
  'a\\"b\\N\\l\\',
  '"]; click n0 href "javascript:alert(1)"',
  'end',
  '#35; %% -- |x| {{y}} `z`',
  'two\nlines\tand tab',
  'ümläut 日本 🚀',
  '\u007f\u0001\ufffe',
  'subgraph x',
]

const detached = new DetachedGraph()
const { graph } = detached
let revision = 0
function put(kind: string, id: string, data: JsonObject): void {
  revision += 1
  detached.put({ kind, id, data: canonicalJson(data), revision, createdAt: 0, updatedAt: 0 })
}
hostile.forEach((serviceName, at) => {
  const dependencies = [hostile[(at + 1) % hostile.length] as string, 'never registered']
  put('service', `s-${at}`, {
    serviceName,
    version: '1.0.0',
    endpoint: 'http://x',
    dependencies,
    tags: [serviceName],
  })
})
put('node', 'team:t', { id: 'team:t', label: 'A "team" <&>', properties: { 'k"<': ['\\', '\n', null, 1.5] } })
const asserted = { source: 'team:t', type: 'owns', target: 'service:plain', origin: 'asserted' }
put('edge', 'e', { ...asserted, properties: { since: '2026 "<&>' } })

const describer = new Describer(graph)
const nodes: NodeJson[] = []
for (let node = 0; node < graph.nodeBound; node += 1) nodes.push(describer.node(node))
const edges: EdgeJson[] = []
for (let edge = 0; edge < graph.edges.bound; edge += 1) edges.push(describer.edge(edge))
const metadata = {
  totalServices: hostile.length,
  activeServices: 0,
  nodes: nodes.length,
  edges: edges.length,
  revision,
  lastUpdated: '2026-01-31T12:00:00.000Z',
  complete: true,
}
const textOf = (format: FormatName) =>
  [...exportGraph(graphFormats[format], { metadata, nodes, edges })].join('')
const pairs = edges.map(({ source, target }) => `${source} ${target}`).sort()

describe('exported graphs are read by the programs they are for', () => {
  it('json and ndjson hold every node and edge as they are', () => {
    const document = JSON.parse(textOf('json'))
    expect(document).toEqual({ success: true, knowledgeGraph: { metadata, nodes, edges } })
    const lines = textOf('ndjson')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toEqual([
      { metadata },
      ...nodes.map((node) => ({ node })),
      ...edges.map((edge) => ({ edge })),
    ])
  })

  it('graphml: graphology reads the same graph', () => {
    // graphology-graphml asks for the page's parser.
    Object.assign(globalThis, {
      DOMParser: new JSDOM('').window.DOMParser,
      Document: new JSDOM('').window.Document,
    })
    const read = parseGraphml(MultiDirectedGraph, textOf('graphml'))
    expect(read.nodes().sort()).toEqual(nodes.map(({ id }) => id).sort())
    expect(read.mapEdges((_edge, _data, source, target) => `${source} ${target}`).sort()).toEqual(pairs)
    for (const { id, label, type, data } of nodes) {
      const attributes = read.getNodeAttributes(id)
      // What XML cannot hold is replaced; everything else comes back as it was.
      expect(attributes['label']).toBe(
        label.replace(/[\p{Cc}\ufffe]/gu, (sign) => (sign === '\n' || sign === '\t' ? sign : '\ufffd')),
      )
      expect(attributes['type']).toBe(type)
      expect(JSON.parse(attributes['data'].replaceAll('\ufffd', ''))).toEqual(
        JSON.parse(JSON.stringify(data).replaceAll(/[\u007f\ufffe]/g, '')),
      )
    }
    expect(read.getAttribute('revision')).toBe(revision)
    expect(read).not.toBeInstanceOf(DirectedGraph)
  })

  it('dot: Graphviz draws the same graph, with labels as they are', async () => {
    const viz = await instance()
    const text = textOf('dot')
    const drawn = viz.renderJSON(text) as {
      objects: { name: string; label: string; _gvid: number }[]
      edges: { tail: number; head: number; label: string }[]
    }
    expect(drawn.objects.map(({ name }) => name).sort()).toEqual(nodes.map(({ id }) => id).sort())
    const name = new Map(drawn.objects.map((object) => [object._gvid, object.name]))
    expect(drawn.edges.map(({ tail, head }) => `${name.get(tail)} ${name.get(head)}`).sort()).toEqual(pairs)
    const svg = new JSDOM(viz.renderString(text, { format: 'svg' })).window.document
    const shown = [...svg.querySelectorAll('g.node')].map((node) =>
      node.querySelector('text')?.textContent?.trim(),
    )
    for (const label of ['<script>alert("x")</script>', ']]> & &amp; \' "', 'a\\"b\\N\\l\\', 'A "team" <&>'])
      expect(shown).toContain(label)
    expect(svg.querySelector('script')).toBeNull()
  })

  describe('mermaid', () => {
    let read: { getVertices(): Map<string, { text: string }>; getEdges(): { start: string; end: string }[] }
    beforeAll(async () => {
      const { window } = new JSDOM('<!doctype html><body></body>')
      Object.assign(globalThis, { window, document: window.document })
      const { default: mermaid } = await import('mermaid')
      // Which kinds of diagrams there are is only known after the first call.
      await mermaid.parse(textOf('mermaid'))
      const diagram = await mermaid.mermaidAPI.getDiagramFromText(textOf('mermaid'))
      read = diagram.db as unknown as typeof read
    })

    it('reads as many nodes and edges, with labels that mean the same', () => {
      const vertices = [...read.getVertices().values()]
      expect(vertices.length).toBe(nodes.length)
      // Mermaid keeps entity codes in a form of its own until it draws: `#60;` is kept as `ﬂ°°60¶ß`.
      const decode = (text: string) =>
        text.replace(/ﬂ°°(\d+)¶ß/g, (_, code: string) => String.fromCodePoint(Number(code)))
      expect(vertices.map(({ text }) => decode(text))).toEqual(
        nodes.map(({ label }) => label.replace(/\p{Cc}/gu, ' ').trim()),
      )
      const place = (id: string) => `n${nodes.findIndex((node) => node.id === id)}`
      expect(read.getEdges().map(({ start, end }) => `${start} ${end}`)).toEqual(
        edges.map(({ source, target }) => `${place(source)} ${place(target)}`),
      )
    })
  })

  it('cytoscape: Cytoscape.js loads it', () => {
    const document = JSON.parse(textOf('cytoscape'))
    const loaded = cytoscape({ headless: true, elements: document.elements })
    expect(
      loaded
        .nodes()
        .map((node) => node.id())
        .sort(),
    ).toEqual(nodes.map(({ id }) => id).sort())
    expect(
      loaded
        .edges()
        .map((edge) => `${edge.data('source')} ${edge.data('target')}`)
        .sort(),
    ).toEqual(pairs)
    expect(loaded.getElementById('team:t').data('label')).toBe('A "team" <&>')
    loaded.destroy()
  })

  it('an empty graph is a whole document in every format', async () => {
    const empty = { metadata: { ...metadata, nodes: 0, edges: 0 }, nodes: [], edges: [] }
    const text = (format: FormatName) => [...exportGraph(graphFormats[format], empty)].join('')
    expect(JSON.parse(text('json')).knowledgeGraph.nodes).toEqual([])
    expect(JSON.parse(text('cytoscape')).elements).toEqual({ nodes: [], edges: [] })
    expect(parseGraphml(MultiDirectedGraph, text('graphml')).order).toBe(0)
    expect((await instance()).renderString(text('dot'))).toContain('digraph')
    expect(text('mermaid')).toContain('flowchart LR')
  })
})
