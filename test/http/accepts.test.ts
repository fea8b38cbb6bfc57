import { describe, expect, it } from 'vitest'
import {
  mediaRanges,
  prefersEventStream,
  prefersHtml,
  prefersNdjson,
} from '../../src/http/reading/accepts.ts'
import { matchesEtag } from '../../src/http/reading/etag.ts'
import { preferredFormat } from '../../src/http/reading/graph-format.ts'
import { withServer } from './with-server.ts'

const lines = 'application/x-ndjson'
const json = 'application/json'

describe('http: the header Accept', () => {
  it.each<[accept: string | undefined, lines: boolean]>([
    [undefined, false],
    ['*/*', false],
    [json, false],
    [lines, true],
    ['application/ndjson', true],
    ['application/jsonl', true],
    ['APPLICATION/X-NDJSON', true],
    // Who names both without a wish gets lines: who does not want them does not name them.
    [`${json}, ${lines}`, true],
    [`${json};q=0.9, ${lines};q=0.9`, true],
    [`${json};q=0.9, ${lines};q=0.8`, false],
    [`${lines};q=0`, false],
    [`${lines};q=x`, false],
    ['application/x-ndjson-not', false],
  ])('%j prefers JSON lines: %s', (accept, expected) => {
    expect(prefersNdjson(accept)).toBe(expected)
  })

  it.each<[accept: string | undefined, html: boolean, events: boolean]>([
    [undefined, false, false],
    ['*/*', false, false],
    ['text/html', true, false],
    [`text/html, ${json}`, false, false],
    [`text/html, ${json};q=0.9`, true, false],
    ['text/event-stream', false, true],
    [`text/event-stream, ${json}`, false, false],
    [`text/event-stream;q=0.5, ${json};q=0.4`, false, true],
    ['text/event-stream;q=0', false, false],
  ])('%j prefers a page: %s, a stream: %s', (accept, html, events) => {
    expect([prefersHtml(accept), prefersEventStream(accept)]).toEqual([html, events])
  })

  it.each<[accept: string | undefined, format: string]>([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['text/vnd.graphviz', 'dot'],
    ['text/vnd.mermaid', 'mermaid'],
    ['application/graphml+xml', 'graphml'],
    ['application/vnd.cytoscape+json', 'cytoscape'],
    ['application/jsonl', 'ndjson'],
    // Of equals the one that is named first.
    ['text/vnd.graphviz, text/vnd.mermaid', 'dot'],
    ['text/vnd.graphviz;q=0.5, text/vnd.mermaid', 'mermaid'],
    ['text/vnd.graphviz;q=0', 'json'],
    ['constructor, toString', 'json'],
  ])('%j of a graph means %s', (accept, format) => {
    expect(preferredFormat(accept)).toBe(format)
  })

  it('is read with its parameters, whatever the blanks and letters', () => {
    expect(mediaRanges('Text/HTML ; level=1;Q=0.3 , a/b')).toEqual([
      { type: 'text/html', quality: 0.3 },
      { type: 'a/b', quality: 1 },
    ])
  })
})

describe('http: the header If-None-Match', () => {
  it.each<[header: string, matches: boolean]>([
    ['"a-1"', true],
    ['W/"a-1"', true],
    ['*', true],
    [' "b" , "a-1" ', true],
    [', "b",,"a-1",', true],
    ['"b, c","a-1"', false],
    ['"b", *', false],
    ['"b" "a-1"', false],
    ['"b", "a-1', false],
    ['"b", W/"a-1"', true],
    ['"a-2"', false],
    ['"a-11"', false],
    ['a-1', false],
    ['', false],
    ['W/"b"', false],
  ])('%j names the tag "a-1": %s', (header, matches) => {
    expect(matchesEtag(header, '"a-1"')).toBe(matches)
  })
})

describe('http: a graph in a form that nobody has', () => {
  it.each(['constructor', 'toString', '__proto__', 'nonsense/*'])('such as %s is sent as JSON', (accept) =>
    withServer(async ({ ask }) => {
      const { status, headers } = await ask('/knowledge-graph', { headers: { accept } })
      expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    }),
  )
})
