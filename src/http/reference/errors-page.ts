import { ERRORS, type ErrorEntry } from '../../errors.ts'
import { escapeHtml, inlineHtml, pageHtml } from './html.ts'

/** Every error code with what to do about it. The `type` of a problem leads to its row. */
export function errorsPage(version: string): string {
  const rows = Object.entries<ErrorEntry>(ERRORS).map(
    ([code, { status, title, hint, retryable }]) =>
      `<tr id="${code}"><td><a href="#${code}"><code>${code}</code></a></td><td><span class="status s${String(status)[0]}">${status}</span></td><td><p>${escapeHtml(title)}.</p><p class="type">${inlineHtml(hint)}</p></td><td>${retryable ? 'yes' : 'no'}</td></tr>`,
  )
  return pageHtml({
    title: 'Coordinator error codes',
    main: `<h1>Error codes</h1><p class="lead">Every error answer is a problem document (RFC 9457) with one of these in <code>code</code>. A code keeps its meaning for ever. Version ${escapeHtml(version)}; back to the <a href="./docs">reference</a>.</p>
<table class="errors"><tr><th>Code</th><th>Status</th><th>Meaning, and what to do</th><th>Retry</th></tr>${rows.join('')}</table>`,
  })
}
