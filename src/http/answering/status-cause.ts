import type { LiveStatus } from '../../live/status.ts'

/** Why the database is not as it should be, the code of that, and what mends it, as answers carry them. */
export function causeOf({ reason, code, repair }: LiveStatus): Record<string, string> {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(code === undefined ? {} : { code }),
    ...(repair === undefined ? {} : { repair }),
  }
}
