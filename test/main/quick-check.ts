import { expect } from 'vitest'
import { ask, type Env, registration, serving } from './coordinator-process.ts'

/** Starts a coordinator, registers `test` as the quick check does, and stops it. Says what it answered, also about itself. */
async function quickCheck(env: Env) {
  await using coordinator = await serving({ env })
  const { status, body } = await ask(`${coordinator.url}/register`, 'POST', registration('test'))
  const health = await ask(`${coordinator.url}/health`)
  const database = await ask(`${coordinator.url}/database`)
  expect((await coordinator.stop()).code).toBe(0)
  return { status, body, health: health.body, database: database.body }
}

/**
 * Expects 201 with all marks of a durable backend, and after a restart 200 for the same service.
 *
 * @returns the id of the service, and what `GET /database` says
 */
export async function expectQuickCheck(backend: string, env: Env) {
  const first = await quickCheck(env)
  expect(first).toMatchObject({
    status: 201,
    body: { changed: true, storage: { backend, durable: true } },
    health: { status: 'ok', storage: { backend, durable: true, status: 'ready' } },
  })
  const { serviceId, revision } = first.body
  const again = await quickCheck(env)
  expect(again).toMatchObject({ status: 200, body: { serviceId, revision, changed: false } })
  return { serviceId, database: first.database }
}
