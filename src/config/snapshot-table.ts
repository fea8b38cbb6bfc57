import { filePath } from './access-kinds.ts'
import { optionalSetting, setting, wholeNumber } from './setting.ts'

/** The start without the database: see docs/start-without-database.md. */
export const snapshotTable = {
  snapshotDir: optionalSetting('SNAPSHOT_DIR', {
    kind: { ...filePath(), label: 'the path of a folder' },
    defaultLabel: 'no snapshots',
    description:
      'A folder for snapshots of the records. A coordinator that starts while its database (PostgreSQL or Supabase) cannot be reached serves the newest one, for reads only ([start-without-database.md](start-without-database.md)).',
  }),
  snapshotMaxAgeHours: setting('SNAPSHOT_MAX_AGE_HOURS', {
    kind: wholeNumber({ min: 1, max: 8_760 }),
    unit: 'hours',
    default: 24,
    description: 'An older snapshot is not served.',
  }),
}
