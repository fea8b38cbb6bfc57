import type { Parameter } from './openapi.ts'

export interface ExampleRequest {
  readonly method: string
  /** With parameters as `{name}`. */
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body?: unknown
}

/** A request as a shell command. */
export function curlCommand({ method, path, parameters, body }: ExampleRequest): string {
  const address = path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => `$${name.replaceAll(/([A-Z])/g, '_$1').toUpperCase()}`,
  )
  const required = parameters.filter(({ in: where, required: must }) => where === 'query' && must)
  const query = required
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example ?? ''))}`)
    .join('&')
  const url = `http://127.0.0.1:3000${address}${query === '' ? '' : `?${query}`}`
  const verb =
    method === 'get' || (method === 'post' && body !== undefined) ? '' : `-X ${method.toUpperCase()} `
  if (body === undefined) return `curl ${verb}"${url}"`
  const json = JSON.stringify(body, undefined, 2).replaceAll("'", "'\\''")
  return `curl ${verb}"${url}" \\\n  -H 'Content-Type: application/json' \\\n  -d '${json}'`
}
