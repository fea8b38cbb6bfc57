import { z } from 'zod'
import { filePath, secret } from './access-kinds.ts'
import { httpUrl, type Kind, list, optionalSetting, setting, text, wholeNumber } from './setting.ts'

/** A folder or a bucket. Credentials in it would appear in logs and in the list of processes. */
function archiveUrl(): Kind<string> {
  const schema = z.string().refine((value) => {
    if (/[\s\p{Cc}?#]/u.test(value)) return false
    if (/^file:[^@]/i.test(value)) return true
    return /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[\w!.*'()/-]*)?$/.test(value)
  })
  return { label: '`file:///folder` or `s3://bucket/prefix`, without credentials', schema }
}

/** An identity in place of its path is refused, because errors show the path. */
function identityPath(): Kind<string> {
  const { schema } = filePath()
  return {
    label: 'the path of a file with identities of `age`',
    schema: schema.refine((value) => !/AGE-(?:SECRET-KEY|PLUGIN)-/i.test(value)),
  }
}

/** Backups: see docs/backup.md. */
export const backupTable = {
  backupUrl: optionalSetting('BACKUP_URL', {
    kind: archiveUrl(),
    defaultLabel: 'no backups',
    description:
      'Where the coordinator archives the journal and the records by itself: a folder, or a bucket of S3 (AWS, Cloudflare R2, MinIO, Supabase Storage). [backup.md](backup.md) shows how.',
  }),
  backupIntervalMs: setting('BACKUP_INTERVAL_MS', {
    kind: wholeNumber({ min: 100, max: 3_600_000 }),
    unit: 'milliseconds',
    default: 10_000,
    description:
      'How often new revisions are archived. It is what may be lost if the database is lost together with the machine of the coordinator.',
  }),
  backupBaseHours: setting('BACKUP_BASE_HOURS', {
    kind: wholeNumber({ min: 1, max: 8_760 }),
    unit: 'hours',
    default: 24,
    description:
      'How often all records are archived (a base). A restore begins with one, so that fewer revisions have to be repeated.',
  }),
  backupRecipients: setting('BACKUP_RECIPIENTS', {
    kind: list('public keys of `age`, such as `age1...`, with commas between them', (item) =>
      /^age1[02-9ac-hj-np-z]{20,4000}$/.test(item) ? item : undefined,
    ),
    default: [],
    defaultLabel: 'not encrypted',
    description:
      'Who can read the archive. Its files are encrypted to these keys. The coordinator needs no key that decrypts; a restore does.',
  }),
  backupKeepDays: setting('BACKUP_KEEP_DAYS', {
    kind: wholeNumber({ min: 1, max: 36_500 }),
    unit: 'days',
    default: 35,
    description:
      'Every moment of this many days can be restored. What only serves older moments is removed from the archive after each base. The newest base always stays.',
  }),
  backupDrillHours: setting('BACKUP_DRILL_HOURS', {
    kind: wholeNumber({ min: 0, max: 8_760 }),
    unit: 'hours',
    default: 24,
    description:
      'How often a restore is rehearsed, in another process that stores nothing: it repeats the journal from one base to the next, and compares. `0` never does.',
  }),
  backupIdentityFile: optionalSetting('BACKUP_IDENTITY_FILE', {
    kind: identityPath(),
    description:
      'The file with the private key of `age` that decrypts the archive: for `coordinator restore`, and for drills that compare contents. A coordinator without it checks only the structure of encrypted files.',
  }),
  awsAccessKeyId: optionalSetting('AWS_ACCESS_KEY_ID', {
    kind: text('the id of an access key', /^[\x21-\x7e]{1,256}$/),
    description: 'The id of the access key for `s3:` URLs.',
  }),
  awsSecretAccessKey: optionalSetting('AWS_SECRET_ACCESS_KEY', {
    kind: secret('the secret of an access key', /^[\x21-\x7e]{1,1024}$/),
    secret: true,
    description: 'The secret of that access key.',
  }),
  awsSessionToken: optionalSetting('AWS_SESSION_TOKEN', {
    kind: secret('a session token', /^[\x21-\x7e]{1,16384}$/),
    secret: true,
    description: 'The session token, where the access key is a temporary one.',
  }),
  awsRegion: optionalSetting('AWS_REGION', {
    aliases: ['AWS_DEFAULT_REGION'],
    kind: text('a region such as `eu-central-1` or `auto`', /^[a-z0-9-]{1,64}$/i),
    defaultLabel: '`us-east-1`',
    description: 'The region of the bucket. `auto` for Cloudflare R2.',
  }),
  awsEndpointUrl: optionalSetting('AWS_ENDPOINT_URL_S3', {
    aliases: ['AWS_ENDPOINT_URL'],
    kind: httpUrl(),
    defaultLabel: 'that of AWS for the region',
    description: 'The server of the bucket, where it is not AWS.',
  }),
}
