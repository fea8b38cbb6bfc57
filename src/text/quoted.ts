/** A text of a client for a message: in quotes, and cut to a readable length. */
export function quoted(text: string, maxLength = 512): string {
  return JSON.stringify(text.slice(0, maxLength).toWellFormed())
}
