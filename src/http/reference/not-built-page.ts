import type { CoordinatorError } from '../../errors.ts'
import { escapeHtml, fromRoot, inlineHtml, pageHtml } from './html.ts'

/** The page in place of a console that is not built. */
export function notBuiltPage({ title, hint, code }: CoordinatorError, root: string): string {
  const page = pageHtml({
    title: 'Coordinator console',
    main: `<h1>${escapeHtml(title)}</h1><p class="lead">${inlineHtml(hint)}</p>
<p><a href="./docs">The reference</a> has every request, with a form to try it. This is <a href="./docs/errors#${code}"><code>${code}</code></a>.</p>`,
  })
  return fromRoot(page, root)
}
