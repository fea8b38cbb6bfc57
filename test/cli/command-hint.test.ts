import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { commandHint } from '../../src/cli/context/command-hint.ts'
import { ERRORS, type ErrorCode } from '../../src/errors.ts'
import { runInProcess } from './run-in-process.ts'
import { json, withAnswers } from './with-answers.ts'

/** Words about requests, which somebody who runs a command never wrote. */
const aboutRequests =
  /\b(GET|POST|PUT|PATCH|DELETE) \/|Retry-After|\/docs\b|`errors`|`detail`|[Hh]eader|ETag|If-Match|Idempotency|X-Coordinator|Authorization|Content-Type|`Allow`|`Expect|\bquery\b|\bbody\b|`(limit|cursor|fields|depth)`|\b[Ss]end (it|the request)\b/

/** Faults of the protocol, and of conditions that no command sends. */
const neverShown: readonly ErrorCode[] = [
  'COORD_BODY_MEDIA_TYPE',
  'COORD_HEADER_INVALID',
  'COORD_URL_MALFORMED',
  'COORD_REQUEST_MALFORMED',
  'COORD_ROUTE_NOT_FOUND',
  'COORD_METHOD_NOT_ALLOWED',
  'COORD_HEADERS_TOO_LARGE',
  'COORD_EXPECTATION_UNKNOWN',
  'COORD_PRECONDITION_FAILED',
  'COORD_IDEMPOTENCY_REUSED',
  'COORD_QUESTION_ABANDONED',
  'COORD_REQUEST_TIMEOUT',
]

describe('hints of a coordinator on the command line', () => {
  const codes = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !neverShown.includes(code))

  it.each(codes)('%s names commands and options, and nothing of HTTP', (code) => {
    expect(commandHint(ERRORS[code].hint)).not.toMatch(aboutRequests)
  })

  it('those that stand beside a single error do so, too', () => {
    const hints = globSync('src/{access,graph,http/streams,live,registry}/**/*.ts').flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/hint: '([^']+)'/g)].map(([, hint]) => hint ?? ''),
    )
    expect(hints.length).toBeGreaterThan(3)
    expect(hints.map(commandHint).filter((hint) => aboutRequests.test(hint))).toEqual([])
  })

  it('are shown by every command', () =>
    withAnswers(
      (_request, response) =>
        json(response, 503, {
          ...{ success: false, code: 'COORD_STORE_TIMEOUT', detail: 'late' },
          hint: ERRORS.COORD_STORE_TIMEOUT.hint,
        }),
      async (url) => {
        const { code, stderr } = await runInProcess(['services', '--url', url])
        expect(code).toBe(69)
        expect(stderr).toBe(
          'coordinator: late. Run the command again in a few seconds; `coordinator status --verbose` shows latencies. Registering the same content again changes nothing. [COORD_STORE_TIMEOUT]\n',
        )
      },
    ))
})
