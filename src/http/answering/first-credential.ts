import type { Access } from '../../access/access.ts'
import type { StorageNote } from './storage-note.ts'

export const lockedOutHint =
  'Nobody can administer this coordinator. Set AUTH_ADMIN_TOKEN to a secret of at least 32 characters, restart it, and create tokens with `coordinator token create`.'
const inMemory =
  'To demand credentials, set AUTH=required, and AUTH_ADMIN_TOKEN to a secret of at least 32 characters, and restart the coordinator. A token that is created now is lost then: set DATABASE_URL to keep tokens.'
const firstToken =
  'To demand credentials, create a token with `coordinator token create NAME --scope admin`, set AUTH=required, and restart the coordinator.'

/** Whether credentials are demanded, and none can administer. As long as the tokens cannot be loaded, nobody knows. */
export function isLockedOut(access: Access): boolean {
  return access.mode === 'required' && !access.hasAdministrator && access.tokensKnown
}

/** How somebody gets the first credential that can administer; `undefined` if there is one, or nobody knows at the moment. */
export function firstCredential(access: Access, { durable }: StorageNote): string | undefined {
  if (access.mode === 'required') return isLockedOut(access) ? lockedOutHint : undefined
  if (!durable) return inMemory
  return access.tokensKnown && !access.hasStoredAdministrator ? firstToken : undefined
}
