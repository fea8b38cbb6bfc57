import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { withServer } from '../http/with-server.ts'
import { serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'
import { scrape } from '../telemetry/scrape.ts'

/** What `promtool check metrics` objects to in the text of a scrape. */
function objections(text: string): Promise<string> {
  return new Promise((done) => {
    const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) =>
      done(stdout + stderr + (error === null ? '' : `exit code ${String(error.code)}`)),
    )
    child.stdin?.end(text)
  })
}

describe('GET /metrics', () => {
  itWith('promtool')('has nothing that promtool objects to, after requests of several kinds', async () => {
    await using coordinator = await serving()
    for (const path of ['/services', '/nothing', '/services/unknown', '/knowledge-graph'])
      await fetch(coordinator.url + path)
    const text = await (await fetch(`${coordinator.url}/metrics`)).text()
    expect(text).toContain('process_start_time_seconds')
    expect(await objections(text)).toBe('')
    expect(await objections(`${text}# TYPE a_total gauge\na_total 1\n`)).toContain('exit code 3')
  })

  it('counts answers with an error by their code, from 0 on', () =>
    withServer(async ({ url, metrics }) => {
      const count = async (code: string) =>
        (await scrape(metrics)).get(`coordinator_http_problems_total{code="${code}"}`)
      expect(await count('COORD_ROUTE_NOT_FOUND')).toBe(0)
      expect(await count('COORD_INTERNAL')).toBe(0)
      await fetch(`${url}/nothing`)
      await fetch(`${url}/services?limit=many`)
      expect(await count('COORD_ROUTE_NOT_FOUND')).toBe(1)
      expect(await count('COORD_QUERY_INVALID')).toBe(1)
      expect(await count('COORD_INTERNAL')).toBe(0)
      // No answer has a code of the commands.
      expect(await count('COORD_CLI_FILE')).toBe(undefined)
    }))
})
