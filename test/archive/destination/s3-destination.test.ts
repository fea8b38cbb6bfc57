import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDestination } from '../../../src/archive/destination/open-destination.ts'
import { collected } from '../../support/archive-samples.ts'
import { S3Server } from '../../support/s3-server.ts'

let server: S3Server

beforeAll(async () => {
  server = await S3Server.start()
})
afterAll(() => server.close())

let prefixes = 0

/** A destination with a prefix of its own. */
function newDestination(changes: { readonly url?: string; readonly env?: Record<string, string> } = {}) {
  prefixes += 1
  return openDestination({
    url: changes.url ?? server.url(`a b/ümlaut+${prefixes}`),
    env: { ...server.env, ...changes.env },
  })
}

const bytes = new TextEncoder().encode('content')

describe('a bucket of S3 as destination', () => {
  test('a file is read as it was written, and listed with its size', async () => {
    const destination = newDestination()
    await destination.write('l/log/b', bytes)
    await destination.write('l/log/a', bytes)
    await destination.write('l-1/log/c', bytes)

    expect(new Uint8Array(await destination.read('l/log/b'))).toEqual(bytes)
    const files = await collected(destination.list(''))
    expect(files.map(({ name }) => name)).toEqual(['l-1/log/c', 'l/log/a', 'l/log/b'])
    expect(files[0]?.bytes).toBe(7)
    expect(Math.abs((files[0]?.writtenAt ?? 0) - Date.now())).toBeLessThan(60_000)
    expect((await collected(destination.list('l/log/b'))).map(({ name }) => name)).toEqual(['l/log/b'])
    await destination.close()
  })

  test('a file of 16 MiB comes back whole; a larger one is damaged', async () => {
    const destination = newDestination()
    const large = randomBytes(16 * 1_048_576)
    await destination.write('large', large)
    expect(large.equals(await destination.read('large'))).toBe(true)

    await destination.write('larger', Buffer.concat([large, bytes]))
    await expect(destination.read('larger')).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
    await destination.close()
  })

  test('a list has every file, in order, over several pages', async () => {
    const destination = newDestination()
    const names = Array.from({ length: 1_100 }, (_, at) => `l/log/${String(at).padStart(5, '0')}`)
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => destination.write(name, bytes)))

    expect((await collected(destination.list('l/'))).map(({ name }) => name)).toEqual(names)
    await destination.close()
  }, 60_000)

  test('removing a file twice changes nothing the second time', async () => {
    const destination = newDestination()
    await destination.write('l/a', bytes)
    await destination.remove('l/a')
    await destination.remove('l/a')

    expect(await collected(destination.list(''))).toEqual([])
    await expect(destination.read('l/a')).rejects.toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
    await destination.close()
  })

  test('files of another prefix do not belong to the archive', async () => {
    const one = newDestination({ url: server.url('one') })
    const other = newDestination({ url: server.url('one-more') })
    await other.write('l/a', bytes)

    expect(await collected(one.list(''))).toEqual([])
    await one.close()
    await other.close()
  })

  test.each([
    ['a wrong secret key', { AWS_SECRET_ACCESS_KEY: 'canary-of-the-secret-key' }, 'SignatureDoesNotMatch'],
    ['an unknown access key', { AWS_ACCESS_KEY_ID: 'canary-of-the-key-id' }, 'InvalidAccessKeyId'],
  ])('%s is refused, and stands in no text', async (_, env, sourceCode) => {
    const destination = newDestination({ env })
    const errors = await Promise.all(
      [
        destination.write('a', bytes),
        destination.read('a'),
        destination.remove('a'),
        collected(destination.list('')),
      ].map((call) =>
        call.then(
          () => expect.fail('it was allowed'),
          (error) => error,
        ),
      ),
    )
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'COORD_ARCHIVE_REFUSED', sourceCode })
      expect(JSON.stringify([error.message, error.stack, error.options])).not.toContain('canary')
    }
    await destination.close()
  })

  test('a bucket that does not exist is refused, by reading and removing, too', async () => {
    const destination = newDestination({ url: 's3://no-such-bucket' })
    const refused = { code: 'COORD_ARCHIVE_REFUSED', sourceCode: 'NoSuchBucket' }

    await expect(destination.write('a', bytes)).rejects.toMatchObject(refused)
    await expect(destination.read('a')).rejects.toMatchObject(refused)
    await expect(destination.remove('a')).rejects.toMatchObject(refused)
    await expect(collected(destination.list(''))).rejects.toMatchObject(refused)
    await destination.close()
  })
})
