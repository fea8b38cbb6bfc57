import { MemoryStore, type MemoryStoreOptions } from '../../src/database/memory/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { Live } from '../../src/live/live.ts'
import type { LiveOptions } from '../../src/live/state/live-options.ts'
import { domain, Registry, type RegistryOptions, type WriteContext } from '../../src/registry/registry.ts'
import { writtenBy } from '../support/written-by.ts'

export interface RegistryScope {
  readonly registry: Registry
  readonly live: Live
  readonly store: MemoryStore
}

export interface ScopeOptions extends RegistryOptions {
  readonly store?: MemoryStoreOptions
  readonly live?: Partial<LiveOptions>
}

/** Who writes in tests that do not care. */
export const someone: WriteContext = writtenBy('test:someone')

/** The least that can be registered. */
export const cart = { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:7070' }

/** Runs a test with a started registry over a store in memory, and stops it afterwards. */
export async function withRegistry(
  run: (scope: RegistryScope) => Promise<void>,
  { store: storeOptions, live: liveOptions, ...options }: ScopeOptions = {},
): Promise<void> {
  const store = new MemoryStore(storeOptions)
  const live = new Live(store, domain, liveOptions)
  const registry = new Registry(live, options)
  await live.start()
  try {
    await run({ registry, live, store })
  } finally {
    await live.stop()
  }
}

/** The error that a call ends with; fails where it does not. */
export async function errorOf(call: () => unknown): Promise<CoordinatorError> {
  try {
    await call()
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) return thrown
    throw thrown
  }
  throw new Error('nothing was thrown')
}
