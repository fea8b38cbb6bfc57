import type { GraphFormat } from './graph-format.ts'

/** GraphML, for yEd, Gephi, NetworkX and igraph. `data` is JSON text. */
export const graphmlFormat: GraphFormat = {
  contentType: 'application/graphml+xml; charset=utf-8',
  writer: ({ revision, lastUpdated, complete }) => ({
    begin: () => `<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="label" for="node" attr.name="label" attr.type="string"/>
  <key id="type" for="node" attr.name="type" attr.type="string"/>
  <key id="namespace" for="node" attr.name="namespace" attr.type="string"/>
  <key id="data" for="node" attr.name="data" attr.type="string"/>
  <key id="edgeType" for="edge" attr.name="type" attr.type="string"/>
  <key id="origin" for="edge" attr.name="origin" attr.type="string"/>
  <key id="revision" for="edge" attr.name="revision" attr.type="long"/>
  <key id="edgeData" for="edge" attr.name="data" attr.type="string"/>
  <key id="graphRevision" for="graph" attr.name="revision" attr.type="long"/>
  <key id="lastUpdated" for="graph" attr.name="lastUpdated" attr.type="string"/>
  <key id="complete" for="graph" attr.name="complete" attr.type="boolean"/>
  <graph id="knowledgeGraph" edgedefault="directed">
    <data key="graphRevision">${revision}</data>
    <data key="lastUpdated">${escapeXml(lastUpdated)}</data>
    <data key="complete">${complete}</data>
`,
    node: ({ id, label, type, namespace, data }) =>
      `    <node id="${escapeXml(id)}"><data key="label">${escapeXml(label)}</data><data key="type">${escapeXml(type)}</data><data key="namespace">${namespace}</data><data key="data">${escapeXml(JSON.stringify(data))}</data></node>\n`,
    edge: ({ id, source, target, type, origin, revision: made, data }) =>
      `    <edge id="${escapeXml(id)}" source="${escapeXml(source)}" target="${escapeXml(target)}"><data key="edgeType">${escapeXml(type)}</data><data key="origin">${origin}</data><data key="revision">${made}</data><data key="edgeData">${escapeXml(JSON.stringify(data))}</data></edge>\n`,
    end: () => '  </graph>\n</graphml>\n',
  }),
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** Characters that XML 1.0 cannot hold in any form become U+FFFD. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"'\t\n\r]/g, (character) => entities[character] as string)
    .replace(/[\p{Cc}\ufffe\uffff]/gu, '\ufffd')
}
