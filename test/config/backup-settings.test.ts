import { describe, expect, it } from 'vitest'
import { destinationEnvironment } from '../../src/config/backup-settings.ts'
import { readBackupSettings, readSettings, secretTexts } from '../../src/config/settings.ts'
import { faultOf } from './fault-of.ts'

describe('the settings of backups', () => {
  it.each([
    'file:///srv/backup',
    'file:./backup',
    's3://bucket',
    's3://bucket/',
    's3://my.bucket-1/team/coordinator',
  ])('take BACKUP_URL=%s', (url) => {
    const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' }
    expect(readSettings({ BACKUP_URL: url, ...keys })).toMatchObject({ backupUrl: url })
  })

  it.each([
    '/srv/backup',
    'https://bucket.s3.amazonaws.com',
    's3://',
    's3://Bucket',
    's3://key:secret@bucket',
    's3://bucket/a?b',
    's3://bucket/a b',
    'file:',
  ])('refuse BACKUP_URL=%s with exit code 78', (url) => {
    expect(faultOf({ BACKUP_URL: url })).toMatchObject({
      code: 'COORD_CONFIG_INVALID',
      exitCode: 78,
      detail: 'BACKUP_URL must be file:///folder or s3://bucket/prefix, without credentials.',
    })
  })

  it('name every key that a bucket needs', () => {
    const fault = faultOf({ BACKUP_URL: 's3://bucket' })
    expect(fault).toMatchObject({ code: 'COORD_CONFIG_INCOMPLETE', exitCode: 78 })
    expect(fault.errors.map(({ path }) => path)).toEqual(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
  })

  it('refuse a journal that is kept for less than a day, with exit code 78', () => {
    const env = { BACKUP_URL: 'file:///srv/backup', DATABASE_URL: 'sqlite:x.db', JOURNAL_KEEP_HOURS: '23' }
    expect(faultOf(env)).toMatchObject({ code: 'COORD_CONFIG_INVALID', exitCode: 78 })
    expect(readSettings({ ...env, JOURNAL_KEEP_HOURS: '24' }).journalKeepHours).toBe(24)
  })

  it.each(['AGE1QL3Z7HJY54', 'age1', 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqb', 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQ'])(
    'refuse %s as a recipient, and do not repeat it',
    (recipient) => {
      const { detail } = faultOf({ BACKUP_RECIPIENTS: recipient })
      expect(detail).toMatch(/^BACKUP_RECIPIENTS must be public keys/)
      expect(detail).not.toContain(recipient.length > 4 ? recipient : '-SECRET-')
    },
  )

  it('refuse an identity in place of the path of its file', () => {
    const identity = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`
    expect(faultOf({ BACKUP_IDENTITY_FILE: identity }).detail).toBe(
      'BACKUP_IDENTITY_FILE must be the path of a file with identities of age.',
    )
  })

  it('are read without those of the database', () => {
    const env = { DATABASE_URL: 'nonsense', BACKUP_URL: 's3://bucket', AWS_ACCESS_KEY_ID: 'id' }
    const settings = readBackupSettings({ ...env, AWS_SECRET_ACCESS_KEY: 'canary', AWS_REGION: 'auto' })
    expect(settings).toMatchObject({ backupUrl: 's3://bucket', backupKeepDays: 35 })
    expect(JSON.stringify(settings)).not.toContain('canary')
    expect(secretTexts(settings)).toEqual(['canary'])
    expect(destinationEnvironment(settings)).toEqual({
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'canary',
      AWS_SESSION_TOKEN: undefined,
      AWS_REGION: 'auto',
      AWS_ENDPOINT_URL_S3: undefined,
    })
  })

  it('of a bucket may have the names that other programs for S3 read', () => {
    const env = { AWS_DEFAULT_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://localhost:9000' }
    const settings = readSettings(env)
    expect(settings).toMatchObject({ awsRegion: 'eu-west-1', awsEndpointUrl: 'http://localhost:9000' })
    expect(settings.warnings).toEqual([])
    expect(readSettings({ ...env, AWS_REGION: 'auto' })).toMatchObject({ awsRegion: 'auto' })
  })

  it('of a bucket matter only with BACKUP_URL', () => {
    expect(readSettings({ AWS_REGION: 'eu-west-1' })).toMatchObject({ awsRegion: 'eu-west-1' })
    expect(readSettings({}).backupUrl).toBeUndefined()
  })
})
