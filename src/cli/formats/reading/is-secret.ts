const secretWord =
  /passw(?:or)?d|passphrase|secret|token|credential|basicauth|digestauth|api[-_.]?key|private[-_.]?key/i
/** `scheme://user:password@host`. */
const withPassword = /:\/\/[^\s/@:]*:[^\s/@]+@/

/**
 * Whether a named text of a file seems to be a secret. Whoever may read the coordinator sees what an import brings, and labels of proxies
 * hold the users and the hashes of their passwords.
 */
export function isSecret(name: string, text: string): boolean {
  return secretWord.test(name) || withPassword.test(text)
}

/** A path without its query, if that has a parameter that seems to be a secret. */
export function withoutSecrets(path: string): string {
  const at = path.indexOf('?')
  return at !== -1 && secretWord.test(path.slice(at)) ? path.slice(0, at) : path
}
