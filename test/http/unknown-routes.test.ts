import { describe, expect, it } from 'vitest'
import { withServer } from './with-server.ts'

const long = `/${'x'.repeat(300)}`

describe('http: what no route takes', () => {
  it.each<[method: string, path: string, status: number, allow: string | null, detail: string]>([
    ['POST', '/services', 405, 'GET, HEAD', '/services takes GET, HEAD, not POST.'],
    ['PATCH', '/register?x=1', 405, 'GET, HEAD, POST', '/register takes GET, HEAD, POST, not PATCH.'],
    ['POST', '/services/x', 405, 'DELETE, GET, HEAD', '/services/x takes DELETE, GET, HEAD, not POST.'],
    ['POST', '/services/x/heartbeat', 405, 'PUT', '/services/x/heartbeat takes PUT, not POST.'],
    ['DELETE', '/services/', 405, 'GET, HEAD', '/services/ takes GET, HEAD, not DELETE.'],
    // Without an id there is no service whose methods could be told.
    ['DELETE', '/services//', 404, null, 'The path of this DELETE ends with a slash after an id.'],
    ['DELETE', '/register//migration', 404, null, 'There is no /register//migration.'],
    ['GET', '/servics', 404, null, 'There is no /servics; did you mean /services?'],
    ['GET', '/services/x/y/z', 404, null, 'There is no /services/x/y/z.'],
    ['GET', long, 404, null, `There is no ${long.slice(0, 200)}....`],
  ])('%s %.40s is answered %i, with the methods %s', (method, path, status, allow, detail) =>
    withServer(async ({ ask }) => {
      const answer = await ask(path, { method })
      expect([answer.status, answer.headers.get('allow'), answer.body.detail]).toEqual([
        status,
        allow,
        detail,
      ])
      expect(answer.body.code).toBe(status === 405 ? 'COORD_METHOD_NOT_ALLOWED' : 'COORD_ROUTE_NOT_FOUND')
      expect(answer.body.allow).toEqual(allow?.split(', '))
    }),
  )
})
