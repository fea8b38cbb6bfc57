import { registrationExample } from '../answering/registration-guide.ts'
import type { HttpContext } from '../routing/http-context.ts'
import { escapeHtml, pageHtml } from './html.ts'

const cards = [
  ['/docs', 'Reference', 'Every operation, with examples to try'],
  ['/services', 'Services', 'What is registered, as JSON'],
  ['/knowledge-graph', 'Knowledge graph', 'What depends on what, as JSON'],
  ['/changes?after=0', 'Changes', 'The journal from its beginning'],
  ['/health', 'Health', 'Whether everything works'],
  ['/database', 'Database', 'Where the records are, and how that goes'],
  ['/metrics', 'Metrics', 'For Prometheus'],
  ['/docs/errors', 'Error codes', 'What each means, and what to do'],
] as const

/** The page for a browser at `/`. */
export function indexPage({ live, registry, storage, notice, version }: HttpContext): string {
  const services = live.loaded ? registry.counts().services : undefined
  const { backend, durable } = storage
  const counted =
    services === undefined
      ? 'Still loading its records'
      : `${services} ${services === 1 ? 'service' : 'services'} registered`
  const { serviceName, version: itsVersion, endpoint } = registrationExample
  const example = JSON.stringify({ serviceName, version: itsVersion, endpoint })
  return pageHtml({
    title: 'Coordinator',
    main: `<h1>Coordinator</h1><p class="lead">A service registry and knowledge graph: what runs, where, and what depends on what.</p>
<p>${counted}, kept in <b>${escapeHtml(backend)}</b>${durable ? ', which outlives a restart' : ''}. Version ${escapeHtml(version)}.</p>
${notice === undefined ? '' : `<p class="notice">${escapeHtml(notice)}</p>`}
<div class="cards">${cards.map(([href, name, about]) => `<a href="${href}"><b>${name}</b><span>${about}</span></a>`).join('')}</div>
<div class="plain"><h2>Register a service</h2></div>
<pre><code>curl http://127.0.0.1:3000/register \\
  -H 'Content-Type: application/json' \\
  -d '${escapeHtml(example)}'</code></pre>`,
    script: `for (const code of document.querySelectorAll('pre code')) code.textContent = code.textContent.replaceAll('http://127.0.0.1:3000', location.origin)`,
  })
}
