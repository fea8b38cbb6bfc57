/**
 * Whether `If-None-Match` names an entity tag (RFC 9110 section 13.1.2): weak comparison, `*` matches everything.
 *
 * @param header one or several tags, as they were sent
 */
export function matchesEtag(header: string, etag: string): boolean {
  if (header === etag || header === '*') return true
  if (header.length === etag.length) return false
  const plain = withoutWeakness(etag)
  return header.split(',').some((tag) => {
    const trimmed = tag.trim()
    return trimmed === '*' || withoutWeakness(trimmed) === plain
  })
}

function withoutWeakness(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}
