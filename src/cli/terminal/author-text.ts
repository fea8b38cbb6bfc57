/**
 * The author of a change for people: `token:ci`, or with what the writer said about itself in quotation marks, as in
 * `http:127.0.0.1 as "cli:anna import"`. The journal keeps that claim percent-encoded. A claim that is cut in the middle of a character
 * stays as it is.
 *
 * @param actor as answers have it
 * @param unproven whether the entry is older than the first coordinator with access control
 */
export function authorText(actor: unknown, unproven?: unknown): string {
  const [proved, ...claims] = String(actor).split(' as ')
  const claim = claims.length === 1 ? decoded(claims[0] as string) : undefined
  const author = claim === undefined ? String(actor) : `${proved} as ${JSON.stringify(claim)}`
  return unproven === true ? `${author} (unproven)` : author
}

function decoded(claim: string): string | undefined {
  try {
    return decodeURIComponent(claim)
  } catch {
    // Something else than this program wrote it.
    return undefined
  }
}
