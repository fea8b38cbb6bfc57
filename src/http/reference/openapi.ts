import type { z } from 'zod'
import type { Scope } from '../../access/scopes/scope.ts'
import { ERRORS } from '../../errors.ts'
import { PROBLEM_TYPE } from '../answering/problem.ts'
import { problemSchema } from '../answering/schemas.ts'
import { bodyTypes } from '../reading/body-media-type.ts'
import {
  type AnswerDescription,
  CHAPTERS,
  type Operation,
  operationId,
  type RouteScope,
} from '../reading/operation.ts'
import { type DocumentedRoute, pathParameters, pathTemplate } from './documented-route.ts'
import { type JsonSchema, JsonSchemas } from './json-schemas.ts'
import { errorsByStatus } from './operation-errors.ts'
import { answerHeaders, requestHeaders } from './reference-headers.ts'

/** A parameter of an operation, in the path, the query string or the headers. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
  readonly example?: unknown
}

/** The scopes that a credential needs, by the name of its kind in `securitySchemes`. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>

export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: unknown
  readonly security: readonly SecurityRequirement[]
  /** The scopes of which the caller needs one. */
  readonly 'x-scopes': readonly Scope[]
  /** Whether it changes what others see, and not only answers. */
  readonly 'x-writes': boolean
  readonly responses: Readonly<Record<string, unknown>>
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: Readonly<Record<string, unknown>>
  readonly tags: readonly unknown[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: Readonly<Record<string, unknown>>
}

const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A token of the coordinator (`cdt_...`), the secret in AUTH_ADMIN_TOKEN or AUTH_METRICS_TOKEN, or a JWT of the issuer in AUTH_JWT_ISSUER. Needed where `GET /health` says `access: required`. The scopes are `read`, `register:[namespace/]name`, `graph`, `metrics` and `admin`, which includes all others.',
  },
} as const

const [problemType = ''] = PROBLEM_TYPE.split(';')

/** Describes routes as OpenAPI 3.1. */
export function openApiDocument(routes: readonly DocumentedRoute[], version: string): OpenApiDocument {
  const schemas = new JsonSchemas()
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  const conditional = new Set(
    routes.flatMap(({ pattern, operation }) => (operation.conditional === true ? [pattern] : [])),
  )
  for (const route of routes) {
    const path = pathTemplate(route.pattern)
    const headers = answerHeadersOf(route, conditional)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describe(route, headers, schemas) }
  }
  schemas.write(problemSchema, 'output')
  return {
    openapi: '3.1.0',
    info: {
      title: 'Coordinator',
      version,
      summary: 'A service registry and knowledge graph on a database that you already have.',
      description:
        'Every change gets one revision. Every answer about records names the revision that it shows. Errors are problem details (RFC 9457) with a stable `code` and a `hint`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: Object.entries(CHAPTERS).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: schemas.named, headers: answerHeaders, securitySchemes },
  }
}

function describe(
  route: DocumentedRoute,
  headers: readonly AnswerHeader[],
  schemas: JsonSchemas,
): OpenApiOperation {
  const { chapter, summary, body, scope, dryRunScope } = route.operation
  const description = descriptionOf(route.operation)
  const parameters = [
    ...pathParametersOf(route),
    ...queryParametersOf(route.operation, schemas),
    ...headersOf(route),
  ]
  return {
    operationId: operationId(route),
    tags: [chapter],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required === true,
            content: Object.fromEntries(
              bodyTypes(route.method).map((type) => [
                type,
                { schema: schemas.writeBody(body.schema), example: body.example },
              ]),
            ),
          },
        }),
    security: [...securityOf(scope), ...(dryRunScope === undefined ? [] : securityOf(dryRunScope))],
    'x-scopes': scopesOf(scope),
    'x-writes': changesState(route.operation),
    responses: { ...answersOf(route.operation, headers, schemas), ...problemsOf(route) },
  }
}

/** A heartbeat stores nothing, but changes the health of a service. */
function changesState({ writes, writesTokens, scope }: Operation): boolean {
  return writes === true || writesTokens === true || scope === 'register'
}

/** A list of requirements cannot say that one of them counts for some parameters only. */
function descriptionOf({ description, dryRunScope }: Operation): string | undefined {
  if (dryRunScope === undefined) return description
  const dry = `With \`dryRun=true\`, it takes the scope \`${dryRunScope}\` instead.`
  return description === undefined ? dry : `${description} ${dry}`
}

/**
 * OpenAPI lists here what a token needs all of at once, and joins alternatives by a list of requirements. An empty list means that no
 * credential is needed.
 */
function securityOf(scope: RouteScope): readonly SecurityRequirement[] {
  if (scope === 'public') return []
  const scopes = scopesOf(scope)
  return scopes.length === 0 ? [{ token: [] }] : scopes.map((one) => ({ token: [one] }))
}

/** The scopes of which the caller needs one. */
function scopesOf(scope: RouteScope): readonly Scope[] {
  return scope === 'public' || scope === 'caller' ? [] : [scope].flat()
}

function pathParametersOf({ pattern, operation }: DocumentedRoute): Parameter[] {
  return pathParameters(pattern).map((name) => ({
    name,
    in: 'path',
    required: true,
    description: operation.parameters?.[name] ?? '',
    schema: { type: 'string' },
  }))
}

function queryParametersOf({ query }: Operation, schemas: JsonSchemas): Parameter[] {
  if (query === undefined) return []
  return Object.entries(query.shape).map(([name, field]) => {
    const { description, example, ...schema } = schemas.write(field as z.ZodType, 'input')
    return {
      name,
      in: 'query',
      required: !(field as z.ZodType).safeParse(undefined).success,
      ...(typeof description === 'string' ? { description } : {}),
      schema,
      ...(example === undefined ? {} : { example }),
    }
  })
}

function headersOf({
  operation: { state, writes, writesTokens, conditional, answers },
}: DocumentedRoute): Parameter[] {
  const reads = answers[304] !== undefined
  const names = [
    ...(state === true ? (['X-Coordinator-Lineage'] as const) : []),
    ...(reads ? (['If-None-Match', 'If-Match'] as const) : []),
    ...(writes === true ? (['Idempotency-Key'] as const) : []),
    ...(writes === true || writesTokens === true ? (['X-Coordinator-Actor'] as const) : []),
    ...(conditional === true ? (['If-Match', 'If-None-Match'] as const) : []),
  ]
  return names.map((name) => ({
    name,
    in: 'header',
    required: false,
    description:
      reads && (name === 'If-None-Match' || name === 'If-Match')
        ? requestHeaders[`${name} (read)`]
        : requestHeaders[name],
    schema: { type: 'string' },
  }))
}

function answersOf(
  { answers }: Operation,
  headers: readonly AnswerHeader[],
  schemas: JsonSchemas,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      {
        description: answer.description,
        headers: referencesTo(headers),
        ...contentOf(answer, schemas),
      },
    ]),
  )
}

type AnswerHeader = keyof typeof answerHeaders

/** @param conditional patterns of paths that take `If-Match`. A read or a write of these answers with the `ETag` */
function answerHeadersOf(
  { method, pattern, operation: { answers, state } }: DocumentedRoute,
  conditional: ReadonlySet<string>,
): AnswerHeader[] {
  const tagged = answers[304] !== undefined || (conditional.has(pattern) && method !== 'DELETE')
  return [
    'X-Request-Id',
    ...(state === true ? stateHeaderNames : []),
    ...(state === true && tagged ? (['ETag'] as const) : []),
    ...(answers[201] === undefined ? [] : (['Location'] as const)),
  ]
}

const stateHeaderNames = [
  'X-Coordinator-Revision',
  'X-Coordinator-Lineage',
  'X-Coordinator-Degraded',
  'Age',
] as const

function referencesTo(names: readonly AnswerHeader[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

function contentOf({ content }: AnswerDescription, schemas: JsonSchemas): Record<string, unknown> {
  if (content === undefined) return {}
  const types = Object.entries(content).map(([type, schema]) => [
    type,
    { schema: schema === undefined ? { type: 'string' } : schemas.write(schema, 'output') },
  ])
  return { content: Object.fromEntries(types) }
}

function problemHeaderNames(status: number, method: string): readonly AnswerHeader[] {
  if (status === 401 || status === 403) return ['X-Request-Id', 'WWW-Authenticate']
  if (status === 415)
    return ['X-Request-Id', 'Accept', ...(method === 'PATCH' ? (['Accept-Patch'] as const) : [])]
  return [429, 503, 507].includes(status) ? ['X-Request-Id', 'Retry-After'] : ['X-Request-Id']
}

function problemsOf(route: DocumentedRoute): Record<string, unknown> {
  const content = { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } }
  const known = [...errorsByStatus(route)].map(([status, codes]) => [
    String(status),
    {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join('\n\n'),
      headers: referencesTo(problemHeaderNames(status, route.method)),
      content,
    },
  ])
  return Object.fromEntries([...known, ['default', { description: 'Any other problem.', content }]])
}
