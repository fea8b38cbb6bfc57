import { ERRORS, type ErrorEntry } from '../../src/errors.ts'

const text = (value: string): string => value.replaceAll('|', '\\|')

function row(code: string, entry: ErrorEntry): string {
  const retry = entry.retryable ? 'yes' : 'no'
  return `| \`${code}\` | ${entry.status} | ${retry} | ${entry.exit ?? 1} | ${text(entry.title)} | ${text(entry.hint)} |`
}

/** `docs/errors.md`: the table of `src/errors.ts`, in its order. */
export function renderErrors(): string {
  return `<!-- Generated from src/errors.ts by \`npm run gen\`: change it there. -->

# Errors

Every error answer is a problem document (RFC 9457, \`application/problem+json\`). Its \`code\` is one of the codes below. A code
keeps its meaning for ever. \`title\` is constant, \`detail\` says what happened this time, and \`hint\` says what to do about it.
*Retry* says whether the same request, unchanged, may succeed later. *Exit* is the exit code of a command or a start that ends because of
the error.

| code | status | retry | exit | title | hint |
|---|---|---|---|---|---|
${Object.entries(ERRORS)
  .map(([code, entry]) => row(code, entry))
  .join('\n')}
`
}
