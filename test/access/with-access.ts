import { onTestFinished } from 'vitest'
import { Access, type AccessOptions } from '../../src/access/access.ts'
import { denialReasonOf } from '../../src/access/denial.ts'
import type { Principal } from '../../src/access/principal.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { DisturbedAccessStore } from './disturbed-access-store.ts'

export const here = '192.0.2.1'
export const adminToken = 'the administrator is only me, myself and I'
export const metricsToken = 'm'.repeat(32)

/** The access of a coordinator that is stopped with the test. It has not been started. */
export function makeAccess(options: Partial<AccessOptions> = {}): Access {
  const access = new Access({ mode: 'required', adminToken, metricsToken, ...options })
  onTestFinished(() => access.stop())
  return access
}

/** The access of a coordinator that has loaded the tokens of a store. */
export async function startAccess(options: Partial<AccessOptions> & { store?: DisturbedAccessStore } = {}) {
  const { store = new DisturbedAccessStore(options.now) } = options
  const access = makeAccess({ ...options, store })
  await access.start()
  return { store, access }
}

export function identify(access: Access, credential: string, address = here): Principal {
  const principal = access.identify(`Bearer ${credential}`, address)
  if (principal instanceof Promise) throw new Error('It is not known yet.')
  return principal
}

/** How a call is refused. */
export async function refusalOf(call: () => unknown): Promise<CoordinatorError> {
  try {
    await call()
  } catch (thrown) {
    if (thrown instanceof CoordinatorError) return thrown
    throw thrown
  }
  throw new Error('It was accepted.')
}

/** Code and reason of a refusal. */
export async function denialOf(call: () => unknown): Promise<string> {
  const error = await refusalOf(call)
  return `${error.code} ${denialReasonOf(error)}`
}

/** The reason for which a credential is refused, or `accepted`. */
export async function fate(access: Access, credential: string, address = here): Promise<string> {
  try {
    await access.identify(`Bearer ${credential}`, address)
    return 'accepted'
  } catch (thrown) {
    return denialReasonOf(thrown) ?? 'another error'
  }
}
