import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { openDestination } from '../../../src/archive/destination/open-destination.ts'
import { readS3Settings } from '../../../src/archive/destination/s3-settings.ts'

const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' }

describe('BACKUP_URL', () => {
  test.each([
    ['file:///srv/backup', 'file:///srv/backup'],
    ['file:///srv/back%20up/', 'file:///srv/back%20up'],
    ['file:./backup', `file://${join(process.cwd(), 'backup')}`],
    ['file:backup', `file://${join(process.cwd(), 'backup')}`],
    ['FILE:/srv/backup', 'file:///srv/backup'],
    ['s3://bucket', 's3://bucket'],
    ['s3://bucket/a//b/', 's3://bucket/a/b'],
  ])('%s is %s', async (url, shown) => {
    const destination = openDestination({ url, env })

    expect(destination.shownUrl).toBe(shown)
    await destination.close()
  })

  test.each([
    '/srv/backup',
    'http://canary:canary@example.test/bucket',
    'file://canary/srv',
    'file:',
    's3:',
    's3://',
    's3://canary:canary@bucket/prefix',
    's3://bucket/prefix?canary=canary',
    's3://bucket/../canary',
    's3://bucket/%zz',
    's3://b',
  ])('%s is refused, and not shown', (url) => {
    const open = () => openDestination({ url, env })

    expect(open).toThrow(expect.objectContaining({ code: 'COORD_CONFIG_INVALID' }))
    expect(open).not.toThrow(/canary/)
  })

  test.each([
    [{}, 'https://bucket.s3.us-east-1.amazonaws.com/'],
    [{ AWS_REGION: 'eu-central-1' }, 'https://bucket.s3.eu-central-1.amazonaws.com/'],
    [{ AWS_DEFAULT_REGION: 'cn-north-1' }, 'https://bucket.s3.cn-north-1.amazonaws.com.cn/'],
    [
      { AWS_ENDPOINT_URL_S3: 'https://account.r2.cloudflarestorage.com', AWS_REGION: 'auto' },
      'https://account.r2.cloudflarestorage.com/bucket',
    ],
    [
      { AWS_ENDPOINT_URL_S3: 'https://ref.storage.supabase.co/storage/v1/s3' },
      'https://ref.storage.supabase.co/storage/v1/s3/bucket',
    ],
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:9000/' }, 'http://127.0.0.1:9000/bucket'],
    [{ AWS_ENDPOINT_URL_S3: ' ', AWS_REGION: '' }, 'https://bucket.s3.us-east-1.amazonaws.com/'],
  ])('a bucket with %j is at %s', (variables, expected) => {
    expect(readS3Settings('s3://bucket/prefix', { ...env, ...variables }).bucketUrl.href).toBe(expected)
  })

  test('a bucket whose name has dots is named in the path, because no certificate covers it', () => {
    expect(readS3Settings('s3://a.b.c', env).bucketUrl.href).toBe('https://s3.us-east-1.amazonaws.com/a.b.c')
  })

  test.each([
    [{ AWS_ACCESS_KEY_ID: undefined }, 'AWS_ACCESS_KEY_ID'],
    [{ AWS_SECRET_ACCESS_KEY: '' }, 'AWS_SECRET_ACCESS_KEY'],
    [{ AWS_REGION: 'eu central' }, 'AWS_REGION'],
    [{ AWS_ENDPOINT_URL_S3: 'minio:9000' }, 'AWS_ENDPOINT_URL_S3'],
    [{ AWS_ENDPOINT_URL_S3: 'https://canary:canary@minio' }, 'AWS_ENDPOINT_URL_S3'],
  ])('%j is refused by its name', (variables, name) => {
    const read = () => readS3Settings('s3://bucket', { ...env, ...variables })

    expect(read).toThrow(expect.objectContaining({ code: 'COORD_CONFIG_INVALID' }))
    expect(read).toThrow(name)
    expect(read).not.toThrow(/canary/)
  })

  test('keys are not printed with the settings', () => {
    const settings = readS3Settings('s3://bucket', {
      ...env,
      AWS_SESSION_TOKEN: 'canary',
      AWS_SECRET_ACCESS_KEY: 'canary',
    })

    expect(inspect(settings)).not.toContain('canary')
    expect(JSON.stringify(settings)).not.toContain('canary')
  })
})
