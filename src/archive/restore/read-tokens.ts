import type { AccessPage } from '../format/archive-format.ts'
import type { RestorePlan } from '../inventory/restore-plan.ts'
import type { ArchiveReader } from './archive-reader.ts'

type Tokens = AccessPage['state']

/**
 * The tokens that a restore brings: those of the newest file. What was revoked by any other file stays revoked, whatever moment is restored.
 *
 * @returns `undefined` if the archive has none
 * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY, and what destinations throw
 */
export async function readTokens(
  { access, moreAccess, target }: Pick<RestorePlan, 'access' | 'moreAccess' | 'target'>,
  reader: Pick<ArchiveReader, 'tokens'>,
): Promise<Tokens | undefined> {
  if (access === undefined) return undefined
  const { state } = await reader.tokens(access)
  const revoked = new Map<string, Tokens['tokens'][number]>()
  for (const file of moreAccess)
    for (const token of (await reader.tokens(file)).state.tokens)
      if (token.revokedAt !== null) revoked.set(token.id, token)
  const tokens = state.tokens.map((token) => {
    const { revokedAt, revokedBy } = token.revokedAt === null ? (revoked.get(token.id) ?? token) : token
    return { ...token, revokedAt, revokedBy }
  })
  // Entries up to this revision were written without credentials. What comes after the restore was not.
  const requiredSince = state.requiredSince === null ? null : Math.min(state.requiredSince, target.revision)
  return { tokens, requiredSince }
}
