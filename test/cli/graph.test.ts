import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, registration, runCoordinator, type Serving, serving } from '../main/coordinator-process.ts'

let coordinator: Serving
const run = (...args: string[]) =>
  runCoordinator(['graph', ...args], { env: { COORDINATOR_URL: coordinator.url } })

beforeAll(async () => {
  coordinator = await serving()
  const env = { COORDINATOR_URL: coordinator.url }
  await runCoordinator(['import', 'examples/data/opentelemetry-demo.json'], { env })
})
afterAll(() => coordinator[Symbol.asyncDispose]())

describe('coordinator graph', () => {
  it('impact lists what is hit, with the way there', async () => {
    const { code, stdout } = await run('impact', 'quote')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+ nodes cannot do without service:quote, at revision 28\.\nSTEPS {2}NODE/)
    expect(stdout).toMatch(/^1 {6}service:shipping$/m)
    expect(stdout).toMatch(/^2 {6}service:checkout +service:shipping$/m)
  })

  it('neighbors, path, cycles, critical, unresolved and orphans answer as tables', async () => {
    expect((await run('neighbors', 'quote')).stdout).toMatch(
      /^3 edges at service:quote, at revision 28\.\nSOURCE +TYPE +TARGET +ORIGIN\nservice:frontend +depends_on +service:quote +declared\n/,
    )
    expect((await run('path', 'load-generator', 'astronomy-db', '--limit', '1')).stdout).toContain(
      '2      service:load-generator > service:otel-collector > service:astronomy-db\n',
    )
    expect((await run('path', 'astronomy-db', 'flagd')).stdout).toBe(
      'service:astronomy-db does not need service:flagd, at revision 28.\n',
    )
    expect((await run('cycles')).stdout).toMatch(/^1 cycle at revision 28\.\nNODES {2}A SHORTEST CIRCLE\n18 /)
    expect((await run('critical')).stdout).toContain('service:otel-collector')
    expect((await run('unresolved')).stdout).toBe('0 nodes that nobody has registered, at revision 28.\n')
    expect((await run('orphans')).stdout).toBe(
      '1 node without any edge, at revision 28.\nNODE\nservice:opensearch\n',
    )
  })

  it('says what a question was narrowed to', async () => {
    expect((await run('impact', 'quote', '--depth', '1')).stdout).toMatch(
      /^2 nodes within depth 1 cannot do without service:quote, at revision 28\.$/m,
    )
    expect((await run('path', 'load-generator', 'astronomy-db', '--depth', '1')).stdout).toBe(
      'service:load-generator does not need service:astronomy-db within depth 1, at revision 28.\n',
    )
    expect((await run('impact', 'quote', '--type', 'sevrice')).stdout).toBe(
      '0 nodes of type sevrice cannot do without service:quote, at revision 28.\n',
    )
  })

  it('prints JSON for programs', async () => {
    const { stdout } = await run('dependencies', 'quote', '--depth', '1', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      success: true,
      total: 1,
      nodes: [{ id: 'service:otel-collector' }],
    })
  })

  it('diff names what changed and who did it', async () => {
    await ask(`${coordinator.url}/register`, 'POST', registration('newcomer', { dependencies: ['quote'] }))
    const { stdout } = await run('diff', '28')
    expect(stdout).toMatch(/^1 node and 1 edge differ between revision 28 and 29\.$/m)
    expect(stdout).toMatch(/^added +service:newcomer +29 +http:127\.0\.0\.1$/m)
    expect((await run('cycles', '--as-of', '1')).stdout).toBe('0 cycles at revision 1.\n')
  })

  it('what-if ends with 1 where something would break, and with 0 where nothing would', async () => {
    const bad = await run('what-if', '--remove', 'quote')
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/^3 problems at revision 29; \d+ nodes would lose something, /)
    expect(bad.stdout).toMatch(/^loses +service:shipping +service:quote$/m)
    expect(await run('what-if', '--remove', 'newcomer', '--version', 'quote=4.0.0')).toMatchObject({
      code: 0,
      stdout: 'Nothing would break, at revision 29.\n',
    })
  })

  it('export writes every format', async () => {
    expect((await run('export', '--format', 'dot', '--around', 'quote')).stdout).toMatch(
      /^digraph [\s\S]+\}\n$/,
    )
    const { stdout } = await run('export', '--as-of', '28')
    expect(JSON.parse(stdout).knowledgeGraph.metadata).toMatchObject({ nodes: 28, revision: 28 })
    const known = JSON.parse(readFileSync('examples/data/opentelemetry-demo.json', 'utf8')) as unknown[]
    expect(known.length).toBe(28)
  })

  it('errors say the next step', async () => {
    const unknown = await run('impact', 'nobody')
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('COORD_NODE_NOT_FOUND')
    expect((await run('export', '--format', 'pdf')).code).toBe(2)
    expect((await run('what-if', '--version', 'x')).code).toBe(2)
    expect(await run('what-if')).toMatchObject({ code: 2, stdout: '' })
    const wrong = await run('impact', 'quote', '--limit', 'few', '--as-of', 'yesterday')
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toMatch(/: --limit must be .*; --as-of must be .* \[COORD_QUERY_INVALID\]\n$/)
    expect((await run('export', '--around', 'nobody')).stderr).toContain('COORD_NODE_NOT_FOUND')
    expect(await run('export', '--url', 'http://127.0.0.1:2')).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('http://127.0.0.1:2 does not answer (ECONNREFUSED). Start one'),
    })
  })
})
