/** Words that are too common to be removed from a log, even if one of them is used as a password. */
const commonWords = new Set(['coordinator', 'database', 'password', 'postgres', 'postgresql', 'supabase'])
const minLength = 6

/** Patterns of secrets. A text without the mark cannot match, and looking for the mark is cheaper. */
const patterns: readonly (readonly [mark: string, RegExp, string])[] = [
  ['sb_', /\bsb_(secret|publishable)_[\w-]+/g, 'sb_$1_[hidden]'],
  ['eyJ', /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, 'eyJ[hidden]'],
  // The id of a token is no secret: it says which token to revoke.
  ['cdt_', /\bcdt_([0-9A-Za-z]{12})_[0-9A-Za-z]+/g, 'cdt_$1_[hidden]'],
  // The bounds keep the time linear on a long line.
  ['://', /(\w{2,20}:\/\/[^\s:@/"'\\]{0,128}):[^\s"'\\]{1,256}@/g, '$1:[hidden]@'],
]

/**
 * Removes secrets from a text before people read it: the given ones, however they are escaped, and everything that looks like a
 * key or like credentials in a URL.
 */
export function createScrubber(secrets: readonly string[] = []): (text: string) => string {
  const forms = new Set<string>()
  for (const secret of secrets) {
    if (secret.length < minLength || commonWords.has(secret)) continue
    for (const form of [secret, encodeURIComponent(secret)]) {
      forms.add(form)
      forms.add(JSON.stringify(form).slice(1, -1))
    }
  }
  // Longest first, because one secret may be the beginning of another.
  const literals = [...forms].sort((a, b) => b.length - a.length)
  return (text) => {
    let clean = text
    for (const literal of literals) clean = clean.replaceAll(literal, '[hidden]')
    for (const [mark, pattern, replacement] of patterns) {
      if (clean.includes(mark)) clean = clean.replace(pattern, replacement)
    }
    return clean
  }
}
