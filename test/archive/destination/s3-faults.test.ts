import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Destination } from '../../../src/archive/destination/destination.ts'
import { S3Destination } from '../../../src/archive/destination/s3-destination.ts'
import { readS3Settings } from '../../../src/archive/destination/s3-settings.ts'
import { collected } from '../../support/archive-samples.ts'

const env = {
  AWS_ACCESS_KEY_ID: 'CANARYKEYID',
  AWS_SECRET_ACCESS_KEY: 'canary/secret+key',
  AWS_SESSION_TOKEN: 'canary-session-token',
}
const bytes = new TextEncoder().encode('content')

/** A server that answers as the test wants, and a destination that uses it. */
async function against(listener: RequestListener, timeoutMs = 5_000) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const settings = readS3Settings('s3://bucket/prefix', {
    ...env,
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}/s3/`,
  })
  const destination = new S3Destination({ ...settings, timeoutMs })
  onTestFinished(async () => {
    await destination.close()
    server.closeAllConnections()
    server.close()
  })
  return { destination, server }
}

function answer(
  response: ServerResponse,
  status: number,
  body = '',
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body)
}

function fault(code: string): string {
  // Real servers repeat the key in their message.
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>CANARYKEYID</Message><AWSAccessKeyId>CANARYKEYID</AWSAccessKeyId></Error>`
}

/** Every call of a destination; each must fail. */
async function faultsOf(destination: Destination) {
  const calls = [
    destination.write('a', bytes),
    destination.read('a'),
    destination.remove('a'),
    collected(destination.list('')),
  ]
  return Promise.all(
    calls.map((call) =>
      call.then(
        () => expect.fail('it succeeded'),
        (error) => error,
      ),
    ),
  )
}

describe('S3 that fails', () => {
  test.each([
    [403, 'SignatureDoesNotMatch', 'COORD_ARCHIVE_REFUSED', 'AWS_SECRET_ACCESS_KEY'],
    [403, 'AccessDenied', 'COORD_ARCHIVE_REFUSED', 's3:PutObject'],
    [403, 'RequestTimeTooSkewed', 'COORD_ARCHIVE_REFUSED', 'clock'],
    [400, 'ExpiredToken', 'COORD_ARCHIVE_REFUSED', 'AWS_SESSION_TOKEN'],
    [404, 'NoSuchBucket', 'COORD_ARCHIVE_REFUSED', 'Create the bucket'],
    [400, 'InvalidArgument', 'COORD_ARCHIVE_REFUSED', 'BACKUP_URL'],
    [400, 'RequestTimeout', 'COORD_ARCHIVE_UNREACHABLE', 'tries again'],
    [503, 'SlowDown', 'COORD_ARCHIVE_UNREACHABLE', 'tries again'],
    [500, 'InternalError', 'COORD_ARCHIVE_UNREACHABLE', 'tries again'],
    [507, 'XMinioStorageFull', 'COORD_ARCHIVE_FULL', 'BACKUP_KEEP_DAYS'],
    [403, 'QuotaExceeded', 'COORD_ARCHIVE_FULL', 'BACKUP_KEEP_DAYS'],
  ])('HTTP %s %s is %s, says what to do, and shows no key', async (status, code, expected, hint) => {
    const { destination } = await against((request, response) =>
      // The answer to HEAD never has a body; only other answers have the reason.
      answer(
        response,
        request.method === 'HEAD' ? 404 : status,
        request.method === 'HEAD' ? '' : fault(code),
      ),
    )
    for (const error of await faultsOf(destination)) {
      expect(error).toMatchObject({ code: expected, sourceCode: code, hint: expect.stringContaining(hint) })
      expect(JSON.stringify([error.message, error.stack, error.options, error.cause])).not.toMatch(/canary/i)
    }
  })

  test('a bucket of another region is refused with the setting that helps', async () => {
    const { destination } = await against((_, response) =>
      answer(response, 301, fault('PermanentRedirect'), { 'x-amz-bucket-region': 'eu-central-1' }),
    )
    for (const error of await faultsOf(destination))
      expect(error).toMatchObject({ code: 'COORD_ARCHIVE_REFUSED', hint: 'Set AWS_REGION=eu-central-1.' })
  })

  test('a server that asks for patience says for how long', async () => {
    const { destination } = await against((_, response) =>
      answer(response, 503, fault('SlowDown'), { 'retry-after': '7' }),
    )
    for (const error of await faultsOf(destination))
      expect(error).toMatchObject({ code: 'COORD_ARCHIVE_UNREACHABLE', retryAfterSeconds: 7 })
  })

  test.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['sends its answer too slowly', (_, response) => trickle(response)],
    [
      'stops in the middle of its answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('<List')
      },
    ],
  ])(
    'a server that %s is UNREACHABLE in time',
    async (_, listener) => {
      const { destination } = await against(listener, 200)
      const startedAt = performance.now()
      for (const error of await faultsOf(destination))
        expect(error).toMatchObject({ code: 'COORD_ARCHIVE_UNREACHABLE' })
      expect(performance.now() - startedAt).toBeLessThan(10_000)
    },
    20_000,
  )

  test('a server that cuts the connection, or is not there, is UNREACHABLE', async () => {
    const { destination, server } = await against((request) => request.socket.destroy())
    for (const error of await faultsOf(destination))
      expect(error).toMatchObject({ code: 'COORD_ARCHIVE_UNREACHABLE' })

    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    for (const error of await faultsOf(destination))
      expect(error).toMatchObject({ code: 'COORD_ARCHIVE_UNREACHABLE', sourceCode: 'ECONNREFUSED' })
  })

  test.each([
    ['a page for people', '<!DOCTYPE html><html><body>Sign in</body></html>'],
    ['JSON', '{"keys":[]}'],
    ['nothing', ''],
    ['another answer of S3', '<ListAllMyBucketsResult></ListAllMyBucketsResult>'],
    ['a list that is cut off', '<ListBucketResult><Contents><Key>prefix/a</Key>'],
    ['a list without sizes', '<ListBucketResult><Contents><Key>prefix/a</Key></Contents></ListBucketResult>'],
    [
      'a list that goes on without saying how',
      '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>',
    ],
    [
      'a list of another prefix',
      '<ListBucketResult><Contents><Key>other/a</Key><Size>1</Size><LastModified>2026-01-31T12:00:00Z</LastModified></Contents></ListBucketResult>',
    ],
    [
      'entities of its own',
      '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ListBucketResult><Name>&a;</Name></ListBucketResult>',
    ],
    ['more than a list can have', `<ListBucketResult>${' '.repeat(4_200_000)}</ListBucketResult>`],
  ])('%s in place of a list is never an empty archive', async (_, body) => {
    const { destination } = await against((_request, response) => answer(response, 200, body))

    await expect(collected(destination.list(''))).rejects.toMatchObject({ code: 'COORD_ARCHIVE_UNREACHABLE' })
  })

  test('a list that never ends is refused', async () => {
    const page =
      '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>'
    const { destination } = await against((_, response) => answer(response, 200, page))

    await expect(collected(destination.list(''))).rejects.toMatchObject({ code: 'COORD_ARCHIVE_UNREACHABLE' })
  })

  test('odd names come as they are', async () => {
    const entry = (key: string) =>
      `<Contents><Key>prefix/${key}</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified><Size>3</Size></Contents>`
    const { destination } = await against((_, response) =>
      answer(
        response,
        200,
        `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${entry('b&amp;&lt;&#x41;&#65;')}${entry('a')}<IsTruncated>false</IsTruncated></ListBucketResult>\n`,
      ),
    )

    expect(await collected(destination.list(''))).toEqual([
      { name: 'a', bytes: 3, writtenAt: Date.UTC(2026, 0, 31, 12) },
      { name: 'b&<AA', bytes: 3, writtenAt: Date.UTC(2026, 0, 31, 12) },
    ])
  })

  test('requests are signed with their content, and hold the key only in the header that S3 wants', async () => {
    const requests: IncomingMessage[] = []
    const { destination } = await against((request, response) => {
      requests.push(request)
      request.resume()
      answer(response, request.method === 'HEAD' ? 404 : 200)
    })
    await destination.write('l/log/a b'.replace(' ', '_'), bytes)
    const [, put] = requests

    expect(put?.url).toBe('/s3/bucket/prefix/l/log/a_b')
    expect(put?.headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/)
    expect(put?.headers['x-amz-security-token']).toBe(env.AWS_SESSION_TOKEN)
    expect(put?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=CANARYKEYID\/\d{8}\/us-east-1\/s3\/aws4_request, /,
    )
    expect(JSON.stringify(requests.map(({ headers, url }) => [headers, url]))).not.toContain(
      env.AWS_SECRET_ACCESS_KEY,
    )
  })

  test.each([
    ['the same size stays', 7, ['HEAD']],
    ['another size is written again', 8, ['HEAD', 'PUT']],
  ])('a file that is there with %s', async (_, size, methods) => {
    const seen: (string | undefined)[] = []
    const { destination } = await against((request, response) => {
      seen.push(request.method)
      request.resume()
      answer(response, 200, '', request.method === 'HEAD' ? { 'content-length': String(size) } : {})
    })
    await destination.write('a', bytes)

    expect(seen).toEqual(methods)
  })

  test('a caller that gives up ends the request', async () => {
    const { destination, server } = await against(() => undefined)
    const given = new AbortController()
    const reason = new Error('given up')
    const read = destination.read('a', given.signal)
    await once(server, 'request')
    given.abort(reason)

    await expect(read).rejects.toBe(reason)
  })
})

function trickle(response: ServerResponse): void {
  response.writeHead(200)
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}
