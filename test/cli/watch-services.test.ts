import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { json, withAnswers } from './with-answers.ts'

it('services --watch clears a terminal before each list, and asks for what has changed', () =>
  withAnswers(
    (request, response) => {
      // The last answer is an error that does not pass, which ends the command.
      const tag = request.headers['if-none-match']
      if (tag === undefined) response.setHeader('etag', '"1"')
      if (tag === '"1"') response.setHeader('etag', '"2"')
      if (tag === '"2"')
        return json(response, 403, { success: false, code: 'COORD_SCOPE_MISSING', detail: 'no' })
      json(response, 200, { success: true, services: [{ serviceName: 'a' }], total: 1_200, revision: 7 })
    },
    async (url) => {
      const stdout = Object.assign(new PassThrough(), { isTTY: true })
      const chunks: Buffer[] = []
      stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
      const silent = new PassThrough().resume()
      const terminal = { env: {}, stdin: silent, stdout, stderr: silent }
      const code = await runProgram(['services', '--watch', '0.1', '--url', url], {
        terminal,
        serve: async () => 0,
      })
      expect(code).toBe(77)
      const screens = Buffer.concat(chunks).toString().split('\u001b[H\u001b[2J\u001b[3J')
      expect(screens.slice(1).map((screen) => screen.split('\n').slice(1, 4))).toEqual(
        [1, 2].map(() => ['NAME  VERSION  HEALTH  ENDPOINT  TAGS', 'a', '1 of 1200 services']),
      )
    },
  ))
