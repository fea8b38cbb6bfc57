import type { backupTable } from './backup-table.ts'
import type { Findings } from './findings.ts'
import type { SectionValues } from './table.ts'

export type BackupSettings = SectionValues<typeof backupTable>

/** Finds what is missing for the destination of the backups. */
export function checkBackup(values: BackupSettings, findings: Findings): void {
  if (values.backupUrl?.startsWith('s3:') !== true) return
  const missing = (variable: string, what: string) =>
    findings.fault('BACKUP_URL', `names a bucket, which needs ${what}: set ${variable}`, {
      code: 'COORD_CONFIG_INCOMPLETE',
      missing: variable,
    })
  if (values.awsAccessKeyId === undefined) missing('AWS_ACCESS_KEY_ID', 'an access key')
  if (values.awsSecretAccessKey === undefined)
    missing('AWS_SECRET_ACCESS_KEY', 'the secret of its access key')
}

/** The variables with which the destination of the backups is opened. It contains secrets: never log it. */
export function destinationEnvironment(
  settings: Partial<BackupSettings>,
): Readonly<Record<string, string | undefined>> {
  return {
    AWS_ACCESS_KEY_ID: settings.awsAccessKeyId,
    AWS_SECRET_ACCESS_KEY: settings.awsSecretAccessKey?.reveal(),
    AWS_SESSION_TOKEN: settings.awsSessionToken?.reveal(),
    AWS_REGION: settings.awsRegion,
    AWS_ENDPOINT_URL_S3: settings.awsEndpointUrl,
  }
}
