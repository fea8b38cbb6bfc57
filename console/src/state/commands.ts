import { apiUrl } from '../api/client.ts'
import { shell } from '../parts/shell-command.ts'
import { caller } from './session.ts'

/** `curl`, with the token from a variable if the coordinator demands one. The token itself is never in a command. */
function curl(): string {
  return caller.value?.mode === 'required' ? 'curl -H "Authorization: Bearer $COORDINATOR_TOKEN"' : 'curl'
}

/** Reads an answer of the API. @returns `undefined` if a value must not be pasted into a shell */
export function readCommand(
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): string | undefined {
  const command = shell`${apiUrl(path, query).href}`
  return command === undefined ? undefined : `${curl()} ${command}`
}

/** Sends JSON to the API. */
export function sendCommand(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): string | undefined {
  const address = shell`${apiUrl(path).href}`
  const sent =
    body === undefined ? '' : shell` -H ${'Content-Type: application/json'} -d ${JSON.stringify(body)}`
  if (address === undefined || sent === undefined) return undefined
  return `${curl()}${method === 'POST' && body !== undefined ? '' : ` -X ${method}`} ${address}${sent}`
}

/** The first registration, for somebody who has none. */
export function registerCommand(): string | undefined {
  return sendCommand('POST', '/register', {
    serviceName: 'cart',
    version: '1.0.0',
    endpoint: 'http://localhost:8080',
    dependencies: ['payment'],
  })
}

/** Imports the example that every checkout has. The command sends the token in `COORDINATOR_TOKEN` by itself. */
export function importCommand(): string | undefined {
  return shell`npx coordinator import examples/data/opentelemetry-demo.json --url ${apiUrl('').href.replace(/\/$/, '')}`
}
