import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { SnapshotFolder } from '../../../src/archive/snapshot/snapshot-folder.ts'
import type { SnapshotNote } from '../../../src/archive/snapshot/snapshot-note.ts'
import { type Coordinator, createCoordinator } from '../../../src/coordinator.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { ask, names, register } from './asking.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

const admin = 'administrator-'.repeat(3)
const day = 86_400_000
let server: PostgresServer
let folder: string
let isUp = true
let made = 0

beforeAll(async () => {
  server = await PostgresServer.start()
  folder = await mkdtemp(join(tmpdir(), 'coordinator-snapshots-'))
})
afterAll(async () => {
  await server.dispose()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  await bringUp()
  made += 1
})

async function takeDown(): Promise<void> {
  await server.stop()
  isUp = false
}

async function bringUp(): Promise<void> {
  if (!isUp) await server.start()
  isUp = true
}

async function withCoordinator(
  more: Record<string, string>,
  body: (coordinator: Coordinator) => Promise<void>,
): Promise<void> {
  const env = {
    ...{
      DATABASE_URL: server.url(),
      DATABASE_SCHEMA: `tokens_${made}`,
      SNAPSHOT_DIR: join(folder, `${made}`),
    },
    ...{ PORT: '0', AUTH: 'required', AUTH_ADMIN_TOKEN: admin, ...more },
  }
  const coordinator = await createCoordinator({ env })
  try {
    await coordinator.start()
    await body(coordinator)
  } finally {
    await coordinator.stop()
  }
}

async function answerTo(coordinator: Coordinator, token: string): Promise<[number, unknown]> {
  const { status, body } = await ask(coordinator, '/services', {
    headers: { authorization: `Bearer ${token}` },
  })
  return [status, body['code']]
}

/** Changes the newest note, as time would. */
async function age(change: (note: SnapshotNote) => SnapshotNote): Promise<void> {
  const directory = join(folder, `${made}`)
  const [database = ''] = await readdir(directory)
  const snapshots = new SnapshotFolder(directory, database)
  for (const place of await snapshots.list(Date.now()))
    await snapshots.writeNote(place.folder, change(await snapshots.readNote(place)))
}

describe('tokens in a snapshot', () => {
  it('are accepted for an hour, revoked ones stay revoked, and unknown ones have to wait', async () => {
    let [good, bad, late] = ['', '', '']
    await withCoordinator({}, async ({ access }) => {
      good = (await access.createToken({ name: 'good', scopes: ['read'], expiresAt: null }, 'test')).token
      const { token, info } = await access.createToken(
        { name: 'bad', scopes: ['read'], expiresAt: null },
        'test',
      )
      bad = token
      await access.revokeToken(info.id, 'test')
    })
    await withCoordinator({ SNAPSHOT_DIR: '' }, async ({ access }) => {
      late = (await access.createToken({ name: 'late', scopes: ['read'], expiresAt: null }, 'test')).token
    })
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      expect(await answerTo(coordinator, good)).toEqual([200, undefined])
      expect(await answerTo(coordinator, bad)).toEqual([401, 'COORD_CREDENTIAL_REVOKED'])
      expect(await answerTo(coordinator, late)).toEqual([503, 'COORD_AUTH_UNAVAILABLE'])
      expect(await answerTo(coordinator, admin)).toEqual([200, undefined])
      await bringUp()
      await expect.poll(() => coordinator.live.status.state).toBe('ready')
      await expect.poll(() => answerTo(coordinator, late)).toEqual([200, undefined])
      expect(await answerTo(coordinator, good)).toEqual([200, undefined])
    })
  })

  it('are refused when they are older than an hour, though the records are served', async () => {
    let token = ''
    await withCoordinator({}, async (coordinator) => {
      const wish = { name: 'old', scopes: ['read'], expiresAt: null }
      token = (await coordinator.access.createToken(wish, 'test')).token
    })
    await age((note) => ({
      ...note,
      ...(note.access && { access: { ...note.access, confirmedAt: Date.now() - 3_600_001 } }),
    }))
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      expect(await answerTo(coordinator, token)).toEqual([503, 'COORD_AUTH_UNAVAILABLE'])
      expect(await answerTo(coordinator, admin)).toEqual([200, undefined])
    })
  })

  it('end what their callers have open when their hour is over', async () => {
    let token = ''
    await withCoordinator({}, async (coordinator) => {
      const wish = { name: 'ending', scopes: ['read'], expiresAt: null }
      token = (await coordinator.access.createToken(wish, 'test')).token
    })
    await age((note) => ({
      ...note,
      ...(note.access && { access: { ...note.access, confirmedAt: Date.now() - 3_600_000 + 8_000 } }),
    }))
    await takeDown()
    await withCoordinator({}, async (coordinator) => {
      const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
      const stream = await fetch(`${coordinator.url}/changes`, { headers })
      expect(stream.status).toBe(200)
      // The body ends because the coordinator ends it: nothing else does.
      await stream.text()
      expect(await answerTo(coordinator, token)).toEqual([503, 'COORD_AUTH_UNAVAILABLE'])
    })
  })
})

describe('an old snapshot', () => {
  it('is served up to SNAPSHOT_MAX_AGE_HOURS, with its age', async () => {
    const open = { AUTH: 'off', AUTH_ADMIN_TOKEN: '' }
    await withCoordinator(open, async (coordinator) => {
      await register(coordinator, 'cart')
    })
    await age((note) => ({ ...note, confirmedAt: note.confirmedAt - 2 * day }))
    await takeDown()
    await withCoordinator({ ...open, SNAPSHOT_MAX_AGE_HOURS: '72' }, async (coordinator) => {
      expect(await names(coordinator)).toEqual(['cart'])
      const { headers } = await ask(coordinator, '/services')
      expect(Number(headers.get('age')) / (2 * 86_400)).toBeCloseTo(1, 2)
    })
  })
})
