import { get } from 'node:http'
import { describe, expect, it } from 'vitest'
import { register, withServer } from './with-server.ts'

describe('http: every answer is counted once, under its route and status', () => {
  it('whatever sends it: a text, lines, a graph, a stream, a 304, an error', () =>
    withServer(async (scope) => {
      const id = await register(scope)
      const path = `/services/${id}`
      const etag = (await scope.ask(path)).headers.get('etag') as string
      await scope.ask(path, { headers: { 'if-none-match': etag } })
      await scope.ask(path, { method: 'HEAD' })
      await scope.ask('/services/none')
      await scope.ask('/services', { headers: { accept: 'application/x-ndjson' } })
      await scope.ask('/snapshot')
      await scope.ask('/knowledge-graph?format=dot')
      await new Promise<void>((resolve, reject) => {
        const options = { headers: { accept: 'text/event-stream' }, agent: false }
        get(`${scope.url}/changes`, options, (response) => {
          response.once('data', () => {
            response.destroy()
            resolve()
          })
        }).on('error', reject)
      })
      const text = await scope.metrics.text()
      const counted = [
        ...text.matchAll(
          /^coordinator_http_request_duration_seconds_count\{method="(.*)",route="(.*)",status="(\d+)"\} (\d+)$/gm,
        ),
      ].map(([, method, route, status, count]) => `${method} ${route} ${status}: ${count}`)
      expect(counted.sort()).toEqual([
        'GET /changes 200: 1',
        'GET /knowledge-graph 200: 1',
        'GET /services 200: 1',
        'GET /services/:serviceId 200: 1',
        'GET /services/:serviceId 304: 1',
        'GET /services/:serviceId 404: 1',
        'GET /snapshot 200: 1',
        'HEAD /services/:serviceId 200: 1',
        'POST /register 201: 1',
      ])
    }))

  it('with its own time, also where the body is refused before the route is asked', () =>
    withServer(async ({ ask, metrics }) => {
      expect((await ask('/register', { method: 'POST', json: '{bad' })).status).toBe(400)
      const [, seconds] =
        /_duration_seconds_sum\{method="POST",route="\/register",status="400"\} (.*)/.exec(
          await metrics.text(),
        ) ?? []
      // Without a start of its own, an answer would count from the start of the process.
      expect(Number(seconds)).toBeLessThan(performance.now() / 1_000 / 2)
    }))
})
