/** A text of a client in a message: in quotes, and not longer than others want to read. */
export function quoted(text: string, maxLength = 512): string {
  return JSON.stringify(text.slice(0, maxLength).toWellFormed())
}
