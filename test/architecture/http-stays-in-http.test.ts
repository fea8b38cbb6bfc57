import { globSync, readFileSync } from 'node:fs'
import { normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

/** What only code can say that reads or writes HTTP. Comments may explain where a value comes from. */
const httpWords = [
  // Headers of requests and answers, by name.
  /['"`](?:if-(?:none-)?match|etag|retry-after|last-event-id|x-coordinator-\w+|accept|content-(?:type|length))['"`]/i,
  // In sentences of errors, too.
  /\bIf-(?:None-)?Match\b|\bETag\b/,
  /\betag\b|\bif(?:None)?Match\b/i,
  // Objects of headers, and query strings.
  /\bheaders\b(?!')/,
  /\bqueryString\b|\bQueryValues\b|\bsearchParams\b/i,
  // Names of parameters and headers as places of faults.
  /['"`](?:query|header)\./,
]

/** The layers below `http`. Backends are clients of servers of their own; the table of errors speaks to clients. */
const below = globSync('src/{text,scheduling,telemetry,records,live,registry,graph}/**/*.ts').map(normalize)

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

function httpIn(source: string): string[] {
  return withoutComments(source)
    .split('\n')
    .filter((line) => httpWords.some((word) => word.test(line)))
}

describe('HTTP stays in http', () => {
  it('nothing below reads a header, a query string or the text of an ETag', () => {
    expect(below.length).toBeGreaterThan(150)
    const found = below.flatMap((file) =>
      httpIn(readFileSync(file, 'utf8')).map((line) => `${file}: ${line}`),
    )
    expect(found).toEqual([])
  })

  it('nothing below knows the framework, or the server of Node.js', () => {
    const wrong = below.filter((file) => /from '(?:fastify|node:http)'/.test(readFileSync(file, 'utf8')))
    expect(wrong).toEqual([])
  })

  it.each([
    "const known = request.headers['if-none-match']",
    'const { headers } = request',
    'const etag = recordEtag(lineage, revision)',
    'if (context.ifMatch !== undefined) throw mustExist()',
    "resolveNode(graph, question.of, 'query.of')",
    "errors: [{ path: 'header.idempotency-key', message }]",
    "throw invalid('If-Match', 'must be an ETag as it was sent, or *')",
  ])('a line such as %j would be found', (line) => {
    expect(httpIn(`/** Explains If-Match. */\n${line}\n`)).toEqual([line])
  })

  it('lines of the domain are not taken for HTTP, nor are comments', () => {
    const source = `
/** The condition of a write: \`If-Match\`, as http reads it from the headers. */
const query = { filters, limit }
// With an ETag.
throw new CoordinatorError('COORD_HEADER_INVALID')
`
    expect(httpIn(source)).toEqual([])
  })
})
