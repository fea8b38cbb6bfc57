import { registrationExample } from '../answering/registration-guide.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { escapeHtml, pageHtml } from './html.ts'

const cards = [
  ['./docs', 'Reference', 'All operations, with examples to try'],
  ['./services', 'Services', 'All registered services, as JSON'],
  ['./knowledge-graph', 'Knowledge graph', 'All dependencies, as JSON'],
  ['./changes?after=0', 'Changes', 'The journal from its start'],
  ['./health', 'Health', 'The state of the coordinator'],
  ['./database', 'Database', 'The state of the database'],
  ['./metrics', 'Metrics', 'For Prometheus'],
  ['./docs/errors', 'Error codes', 'The meaning of each code, and what to do'],
] as const

/**
 * The page for a browser at `/` if there is no console. Everybody may see it, so it shows nothing of the state.
 *
 * @param baseUrl where the browser found it
 */
export function indexPage({ version }: HttpContext, baseUrl = 'http://127.0.0.1:3000'): string {
  const { serviceName, version: itsVersion, endpoint } = registrationExample
  const example = JSON.stringify({ serviceName, version: itsVersion, endpoint })
  return pageHtml({
    title: 'Coordinator',
    main: `<h1>Coordinator</h1><p class="lead">A service registry and knowledge graph: the services that run, their addresses, and their dependencies.</p>
<p>Version ${escapeHtml(version)}. Whether a request needs a credential, <a href="./access">/access</a> says.</p>
<div class="cards">${cards.map(([href, name, about]) => `<a href="${href}"><b>${name}</b><span>${about}</span></a>`).join('')}</div>
<div class="plain"><h2>Register a service</h2></div>
<pre><code>curl ${escapeHtml(baseUrl)}/register \\
  -H 'Content-Type: application/json' \\
  -d '${escapeHtml(example)}'</code></pre>`,
  })
}
