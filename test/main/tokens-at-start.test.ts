import { afterEach, describe, expect, it } from 'vitest'
import { type Coordinator, createCoordinator } from '../../src/coordinator.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { CoordinatorError } from '../../src/errors.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import { ask } from './coordinator-process.ts'

const admin = 'administrator-'.repeat(3)
const env = { AUTH: 'required', AUTH_ADMIN_TOKEN: admin, POLL_MIN_MS: '10', POLL_MAX_MS: '20' }

const made: Coordinator[] = []
afterEach(async () => {
  await Promise.all(made.splice(0).map((coordinator) => coordinator.stop(0)))
})

async function make(store: FaultyStore): Promise<Coordinator> {
  const coordinator = await createCoordinator({ port: 0, store, env })
  made.push(coordinator)
  return coordinator
}

/** Waits until it listens. */
async function urlOf(coordinator: Coordinator): Promise<string> {
  const url = () => {
    try {
      return coordinator.url
    } catch {
      return undefined
    }
  }
  await expect.poll(url).toBeDefined()
  return coordinator.url
}

async function answerTo(
  url: string,
  token: string,
  path = '/services',
): Promise<[number, string | undefined]> {
  const { status, body } = await ask(url + path, 'GET', undefined, { authorization: `Bearer ${token}` })
  return [status, body.code]
}

const wish = (name: string) => ({ name, scopes: ['read'], expiresAt: null })

describe('while the database does not answer at the start', () => {
  it('the tokens of the environment count, those of the store get 503, and count as soon as it answers', async () => {
    const inner = new MemoryStore()
    const first = await make(new FaultyStore(inner))
    await first.start()
    const { token } = await first.access.createToken(wish('ci'), 'library')

    const store = new FaultyStore(inner)
    store.always({ does: 'hang' }, 'open')
    const second = await make(store)
    const started = second.start()
    const url = await urlOf(second)
    expect(await answerTo(url, admin, '/access')).toEqual([200, undefined])
    expect(await answerTo(url, admin)).toEqual([503, 'COORD_NOT_LOADED'])
    expect(await answerTo(url, token)).toEqual([503, 'COORD_AUTH_UNAVAILABLE'])
    store.heal()
    store.release()
    await started
    expect(await answerTo(url, token)).toEqual([200, undefined])
  })

  it('a stop ends the start', async () => {
    const store = new FaultyStore(new MemoryStore())
    store.always({ does: 'hang' }, 'open')
    const coordinator = await make(store)
    const started = coordinator.start().catch((thrown: unknown) => thrown)
    await urlOf(coordinator)
    await coordinator.stop(0)
    store.release()
    const thrown = await started
    expect(thrown).toBeInstanceOf(CoordinatorError)
    expect(thrown).toMatchObject({ code: 'COORD_SHUTTING_DOWN' })
  })
})

describe('coordinators that share a store', () => {
  it('know tokens and revocations of each other', async () => {
    const inner = new MemoryStore()
    const [one, other] = [await make(new FaultyStore(inner)), await make(new FaultyStore(inner))]
    await Promise.all([one.start(), other.start()])
    const { token, info } = await one.access.createToken(wish('ci'), 'library')
    expect(await answerTo(other.url, token)).toEqual([200, undefined])
    await one.access.revokeToken(info.id, 'library')
    expect(await answerTo(one.url, token)).toEqual([401, 'COORD_CREDENTIAL_REVOKED'])
    await expect.poll(() => answerTo(other.url, token)).toEqual([401, 'COORD_CREDENTIAL_REVOKED'])
  })
})

it('entries from before credentials were demanded are unproven', async () => {
  const inner = new MemoryStore()
  const open = await createCoordinator({ port: 0, store: new FaultyStore(inner) })
  made.push(open)
  await open.start()
  await ask(`${open.url}/register`, 'POST', {
    serviceName: 'cart',
    version: '1.0.0',
    endpoint: 'http://cart:1',
  })
  const coordinator = await make(new FaultyStore(inner))
  await coordinator.start()
  expect(coordinator.live.requiredSince).toBe(1)
  expect(coordinator.live.isUnproven(1)).toBe(true)
})
