import type { Store } from '../../src/database/store.ts'
import { type ServerScope, withServer } from '../http/with-server.ts'
import type { FaultyStore } from '../support/faulty-store.ts'
import type { RandomSource } from './random-source.ts'

/**
 * Coordinators in this process, each with a connection of its own to one database, in which faults can be made. They follow
 * each other slowly, so that each of them is behind most of the time.
 */
export async function withCoordinators(
  connections: readonly Store[],
  body: (scopes: readonly ServerScope[]) => Promise<void>,
  scopes: readonly ServerScope[] = [],
): Promise<void> {
  const inner = connections[scopes.length]
  if (inner === undefined) return body(scopes)
  const options = {
    pollMinMs: 100,
    pollMaxMs: 200,
    commitTimeoutMs: 400,
    revisionTimeoutMs: 3_000,
    stallTimeoutMs: 5_000,
  }
  await withServer((scope) => withCoordinators(connections, body, [...scopes, scope]), { inner, options })
}

/** Makes one connection lose replies, fail, be slow or hang, and heals it. */
export async function disturbConnection(stores: readonly FaultyStore[], random: RandomSource): Promise<void> {
  const store = random.of(stores)
  const { setTimeout: sleep } = await import('node:timers/promises')
  const fault = random.of([
    { does: 'lose reply' },
    { does: 'lose reply' },
    { does: 'fail', outcome: 'unknown' },
    { does: 'fail', outcome: 'not_written' },
    { does: 'delay', ms: 30 },
    { does: 'hang' },
  ] as const)
  if (fault.does === 'hang') {
    store.always(fault, 'changes', 'head')
    await sleep(60 + random.below(250))
  } else {
    const method = random.of(['commit', 'commit', 'changes', 'history', 'head'] as const)
    store.next(method, ...Array.from({ length: 1 + random.below(3) }, () => fault))
    await sleep(random.below(60))
  }
  store.heal()
  store.release()
}
