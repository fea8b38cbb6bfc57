/**
 * Characters that must not get into a shell by copying: control characters, and those that nobody sees or that change the direction of
 * the text, so that the command is not what it looks like. Also halves of surrogate pairs.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/**
 * A command for a POSIX shell: `shell\`curl ${url}\``. Every value is quoted, so that it is one word, whatever it contains.
 *
 * @returns `undefined` if a value contains a control character or a bidirectional one: such a command is not offered
 */
export function shell(parts: TemplateStringsArray, ...values: readonly string[]): string | undefined {
  if (values.some(isUnsafe)) return undefined
  return parts.map((part, at) => (at < values.length ? part + quoted(values[at] ?? '') : part)).join('')
}

export function isUnsafe(value: string): boolean {
  return unsafe.test(value)
}

/** One word of a POSIX shell. Plain words stay as they are, so that the command is easy to read. */
export function quoted(value: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}
