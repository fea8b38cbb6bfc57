import { escapeHtml, inlineHtml } from './html.ts'
import type { JsonSchema } from './json-schemas.ts'

/** Schemas by name, for references to them. */
export type NamedSchemas = Readonly<Record<string, JsonSchema>>

/** Shown beside the name of a required member. */
export const requiredHtml = '<span class="must">required</span>'

/** The number of levels of members that are shown. */
const maxDepth = 4

/** A schema as a table of its members, or a sentence if it has none. */
export function schemaHtml(schema: JsonSchema, named: NamedSchemas, depth = 0): string {
  const resolved = resolve(schema, named)
  const members = membersOf(resolved, named)
  if (members === undefined || depth >= maxDepth) return ''
  const required = new Set(members['required'] as readonly string[] | undefined)
  const rows = Object.entries(members['properties'] as Readonly<Record<string, JsonSchema>>).map(
    ([
      name,
      member,
    ]) => `<tr><td><code>${escapeHtml(name)}</code>${required.has(name) ? requiredHtml : ''}</td>
<td>${memberHtml(member, named)}${nestedHtml(member, named, depth)}</td></tr>`,
  )
  return rows.length === 0 ? '' : `<table>${rows.join('')}</table>`
}

function nestedHtml(member: JsonSchema, named: NamedSchemas, depth: number): string {
  const nested = schemaHtml(member, named, depth + 1)
  return nested === ''
    ? ''
    : `<details><summary>its members</summary><div class="nested">${nested}</div></details>`
}

/** Type, rules and description of one member, on one line. */
export function memberHtml(schema: JsonSchema, named: NamedSchemas): string {
  const resolved = resolve(schema, named)
  const { description } = { ...resolved, ...schema }
  const rules = rulesOf(resolved)
  const facts = `<span class="type">${[typeName(schema, named), ...rules].map(escapeHtml).join(' · ')}</span>`
  return typeof description === 'string' ? `${facts}<br>${inlineHtml(description)}` : facts
}

function rulesOf(schema: JsonSchema): string[] {
  const { minimum, maximum, maxLength, maxItems, default: fallback } = schema
  const range = minimum === undefined || maximum === undefined ? [] : [`${minimum} to ${maximum}`]
  return [
    ...range,
    ...(maxLength === undefined ? [] : [`up to ${maxLength} characters`]),
    ...(maxItems === undefined ? [] : [`up to ${maxItems}`]),
    ...(fallback === undefined ? [] : [`default ${JSON.stringify(fallback)}`]),
  ]
}

function typeName(schema: JsonSchema, named: NamedSchemas): string {
  const { type: types, items, enum: values, const: only, anyOf, format } = resolve(schema, named)
  // Every member of a body that may be left out may be `null`, so that naming it everywhere would tell nothing.
  const [type] = [types].flat().filter((one) => one !== 'null')
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(values))
    return values.flatMap((value) => (value === null ? [] : JSON.stringify(value))).join(' | ')
  if (Array.isArray(anyOf)) {
    const names = anyOf.map((one) => typeName(one as JsonSchema, named))
    return [...new Set(names.filter((name) => name !== 'anything'))].join(' or ')
  }
  if (type === 'array') return `array of ${typeName((items ?? {}) as JsonSchema, named)}`
  return typeof type === 'string' ? `${type}${typeof format === 'string' ? ` (${format})` : ''}` : 'anything'
}

/** The object that a schema describes, even if it is inside an array, or one of several forms. */
function membersOf(schema: JsonSchema, named: NamedSchemas): JsonSchema | undefined {
  const { properties, items, anyOf } = schema
  if (properties !== undefined && Object.keys(properties as object).length > 0) return schema
  const inside = items === undefined ? (anyOf as readonly JsonSchema[] | undefined) : [items as JsonSchema]
  for (const one of inside ?? []) {
    const found = membersOf(resolve(one, named), named)
    if (found !== undefined) return found
  }
  return undefined
}

function resolve(schema: JsonSchema, named: NamedSchemas): JsonSchema {
  const { $ref } = schema
  return typeof $ref === 'string' ? (named[$ref.replace('#/components/schemas/', '')] ?? {}) : schema
}
