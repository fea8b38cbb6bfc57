import { curlCommand } from './curl-command.ts'
import { escapeHtml, inlineHtml, pageHtml, proseHtml } from './html.ts'
import type { JsonSchema } from './json-schemas.ts'
import type { OpenApiDocument, OpenApiOperation, Parameter } from './openapi.ts'
import { memberHtml, type NamedSchemas, requiredHtml, schemaHtml } from './schema-html.ts'

interface Entry {
  readonly method: string
  readonly path: string
  readonly operation: OpenApiOperation
}

interface Content {
  readonly [type: string]: { readonly schema: JsonSchema; readonly example?: unknown }
}

interface Response {
  readonly description: string
  readonly content?: Content
}

/** The reference as a page: every operation with its parameters, an example, its answers, and a form to try it. */
export function referencePage(document: OpenApiDocument): string {
  const named = document.components['schemas'] as NamedSchemas
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
  const chapters = document.tags as readonly { readonly name: string; readonly description: string }[]
  const { title, version, summary, description } = document.info as Readonly<Record<string, string>>
  const of = (chapter: string) => entries.filter(({ operation }) => operation.tags[0] === chapter)
  return pageHtml({
    title: `${title} reference`,
    aside: `<h1><a href="./">${title}</a><small>${escapeHtml(version ?? '')}</small></h1>
<input type="search" id="filter" placeholder="Filter  ( / )" aria-label="Filter operations">
<input type="password" id="token" placeholder="Token for &quot;Try it&quot;" aria-label="Token for requests of this page" title="Sent with the requests of this page, and forgotten when the page is closed" autocomplete="off" spellcheck="false">
<p id="none" hidden>No operation matches.</p>
<nav>${chapters.map(({ name }) => `<section><h2>${name}</h2><ul>${of(name).map(linkHtml).join('')}</ul></section>`).join('')}
<section><h2>More</h2><ul><li><a href="./docs/errors">Error codes</a></li><li><a href="./openapi.json">OpenAPI document</a></li></ul></section></nav>`,
    main: `<h1>${title} reference</h1><p class="lead">${inlineHtml(`${summary} ${description}`)}</p>
<p>${inlineHtml(credentials)}</p>
${chapters
  .map(
    ({ name, description: about }) =>
      `<h2 id="${name}">${name}</h2><p class="lead">${inlineHtml(about)}</p>${of(name)
        .map((entry) => entryHtml(entry, named))
        .join('')}`,
  )
  .join('')}`,
    script: 'reference.js',
  })
}

const credentials =
  'Where `GET /access` says `mode: required`, send a token with every request: `Authorization: Bearer TOKEN`. Each operation names the scope that the token needs; `admin` includes all others, and `register` stands for `register:NAME` with the name of the service. The requests of this page send the token in the field at the side, which keeps it until the page is closed.'

/** Who may use an operation. */
function scopeHtml({ security, 'x-scopes': scopes }: OpenApiOperation): string {
  const needed = scopes.map((scope) => `\`${scope}\``).join(' or ')
  const text =
    needed !== ''
      ? `Scope: ${needed}`
      : security.length === 0
        ? 'Public: no credential is needed'
        : 'Any credential'
  return `<p class="scope">${inlineHtml(text)}</p>`
}

function linkHtml({ method, path, operation }: Entry): string {
  return `<li><a href="#${operation.operationId}" title="${escapeHtml(`${method.toUpperCase()} ${path}`)}"><span class="method ${method}">${method === 'delete' ? 'DEL' : method.toUpperCase()}</span><span>${inlineHtml(operation.summary)}</span></a></li>`
}

function entryHtml(entry: Entry, named: NamedSchemas): string {
  const { method, path, operation } = entry
  const { operationId, summary, description, parameters = [] } = operation
  const body = (operation.requestBody as { readonly content: Content } | undefined)?.content[
    'application/json'
  ]
  return `<article id="${operationId}"><header><h3><a href="#${operationId}">${inlineHtml(summary)}</a></h3>
<span class="route"><span class="method ${method}">${method.toUpperCase()}</span><span class="path">${escapeHtml(path)}</span></span></header>
${scopeHtml(operation)}${description === undefined ? '' : proseHtml(description)}
${parametersHtml(parameters, ['path', 'query'], named)}
${body === undefined ? '' : `<h4>Body</h4>${schemaHtml(body.schema, named)}`}
${parametersHtml(parameters, ['header'], named)}
<h4>Example</h4><pre><code>${escapeHtml(curlCommand({ method, path, parameters, body: body?.example }))}</code></pre>
${tryHtml(entry, body?.example)}
<h4>Answers</h4>${responsesHtml(operation, named)}</article>`
}

const locationTitles = { path: 'In the path', query: 'Query string', header: 'Headers' } as const

function parametersHtml(
  parameters: readonly Parameter[],
  locations: readonly Parameter['in'][],
  named: NamedSchemas,
): string {
  const tables = locations.map((location) => {
    const rows = parameters
      .filter((parameter) => parameter.in === location)
      .map(({ name, schema, description, required }) => {
        const described = description === undefined ? schema : { ...schema, description }
        return `<tr><td><code>${escapeHtml(name)}</code>${required ? requiredHtml : ''}</td><td>${memberHtml(described, named)}</td></tr>`
      })
    return rows.length === 0 ? '' : `<h4>${locationTitles[location]}</h4><table>${rows.join('')}</table>`
  })
  return tables.join('')
}

function responsesHtml({ responses }: OpenApiOperation, named: NamedSchemas): string {
  const rows = Object.entries(responses as Readonly<Record<string, Response>>)
    .filter(([status]) => status !== 'default')
    .map(([status, { description, content = {} }]) => {
      const members = Object.values(content)
        .map(({ schema }) => schemaHtml(schema, named))
        .join('')
      const shown =
        Number(status) >= 400 || members === ''
          ? ''
          : `<details><summary>its members</summary><div class="nested">${members}</div></details>`
      return `<tr><td><span class="status s${status[0]}">${status}</span></td><td>${errorLinks(proseHtml(description))}${shown}</td></tr>`
    })
  return `<table class="answers">${rows.join('')}</table>`
}

function errorLinks(html: string): string {
  return html.replaceAll(/<code>(COORD_[A-Z_]+)<\/code>/g, '<a href="./docs/errors#$1"><code>$1</code></a>')
}

/** The placeholder of an input field. An object stands for several parameters, so its members are shown as in a URL. */
function placeholderOf(example: unknown): string {
  if (typeof example !== 'object' || example === null) return String(example ?? '')
  return Object.entries(example)
    .map((pair) => pair.join('='))
    .join('&')
}

const dryRun = 'dryRun'
const trueSend = '<b>Send</b> writes to the running registry.'
const drySend =
  'With <code>dryRun=true</code>, <b>Send</b> stores nothing, and shows what would happen. Without it, <b>Send</b> writes to the running registry.'

function fieldHtml({ name, in: location, example, required, schema }: Parameter): string {
  const { type, enum: values, default: fallback } = schema
  const common = `name="${escapeHtml(name)}" data-in="${type === 'object' ? 'pairs' : location}"${required ? ' required' : ''}`
  if (!Array.isArray(values))
    return `<input ${common} placeholder="${escapeHtml(placeholderOf(example))}" autocomplete="off">`
  // Nobody should write by trying what a form does.
  const chosen = name === dryRun ? 'true' : undefined
  const options = values.map(
    (value) => `<option${value === chosen ? ' selected' : ''}>${escapeHtml(String(value))}</option>`,
  )
  const unset = fallback === undefined ? '' : `default: ${fallback}`
  return `<select ${common}><option value="">${escapeHtml(unset)}</option>${options.join('')}</select>`
}

function tryHtml({ method, path, operation }: Entry, example: unknown): string {
  const { parameters = [] } = operation
  const fields = parameters.map(
    (parameter) =>
      `<label><span><code>${escapeHtml(parameter.name)}</code></span>${fieldHtml(parameter)}</label>`,
  )
  const canDryRun = parameters.some(({ name }) => name === dryRun)
  const notice = operation['x-writes'] ? `<p class="caution">${canDryRun ? drySend : trueSend}</p>` : ''
  const text =
    example === undefined
      ? ''
      : `<textarea aria-label="Body" spellcheck="false">${escapeHtml(JSON.stringify(example, undefined, 2))}</textarea>`
  return `<details><summary>Try it</summary><form class="try" data-method="${method.toUpperCase()}" data-path="${escapeHtml(path)}">${notice}${fields.join('')}${text}<button>Send</button><div class="answer" aria-live="polite"></div></form></details>`
}
