import type { Coordinator } from '../../../src/coordinator.ts'

export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export async function ask({ url }: Coordinator, path: string, init: RequestInit = {}): Promise<Asked> {
  const reply = await fetch(`${url}${path}`, init)
  return {
    status: reply.status,
    headers: reply.headers,
    body: (await reply.json()) as Record<string, unknown>,
  }
}

export const register = (coordinator: Coordinator, serviceName: string, more: object = {}) =>
  ask(coordinator, '/register', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ serviceName, endpoint: 'http://localhost:1', version: '1.0.0', ...more }),
  })

/** The names of all services that are served. */
export async function names(coordinator: Coordinator): Promise<unknown[]> {
  const { body } = await ask(coordinator, '/services')
  return (body['services'] as { serviceName: string }[]).map(({ serviceName }) => serviceName).sort()
}
