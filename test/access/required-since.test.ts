import { describe, expect, it, onTestFinished } from 'vitest'
import { Access, type AccessOptions } from '../../src/access/access.ts'
import { MemoryStore } from '../../src/database/memory/store.ts'
import { MAX_REVISION } from '../../src/records/record.ts'
import { tokenOf } from '../conformance/build.ts'
import { until } from '../support/with-live.ts'
import { DisturbedAccessStore } from './disturbed-access-store.ts'

function accessOf(options: AccessOptions): Access {
  const access = new Access(options)
  onTestFinished(() => access.stop())
  return access
}

describe('the revision since which credentials are demanded', () => {
  it('is none where they never were, and where there is no store', async () => {
    const store = new DisturbedAccessStore()
    for (const mode of ['open', 'off'] as const) {
      const access = accessOf({ mode, store })
      await access.start()
      await until(() => store.calls.length > 0)
      expect(access.requiredSince).toBeNull()
      store.calls.length = 0
    }
    expect(accessOf({ mode: 'required' }).requiredSince).toBeNull()
  })

  it('is what the store noted when this coordinator was the first to demand them', async () => {
    const store = new MemoryStore()
    await store.open()
    onTestFinished(() => store.close())
    const access = accessOf({ mode: 'required', store: store.access })
    await access.start()
    await until(() => access.requiredSince !== MAX_REVISION)
    expect(access.requiredSince).toBe((await store.access.load()).requiredSince)
    expect(access.requiredSince).toBe(0)
  })

  it('is unknown while the store does not tell: no entry is proved until it does', async () => {
    const store = new DisturbedAccessStore()
    await store.behind.require()
    store.breakDown()
    const access = accessOf({ mode: 'required', store })
    const starting = access.start()
    expect(access.requiredSince).toBe(MAX_REVISION)
    store.down.clear()
    await starting
    expect(access.requiredSince).toBe(0)
  })

  it('is recorded when the store opens, if it was a copy at the start; its tokens count meanwhile', async () => {
    const store = new MemoryStore()
    await store.setMode('open', 'copy')
    const source = new MemoryStore()
    await source.access.put(tokenOf('copied'))
    await store.access.seed(await source.access.load())
    const access = accessOf({ mode: 'required', store: store.access })
    await access.start()
    expect(access.listTokens().map(({ name }) => name)).toEqual(['copied'])
    expect(access.requiredSince).toBe(MAX_REVISION)
    const { accessVersion } = await store.setMode('copy', 'open')
    access.versionSeen(accessVersion)
    await until(() => access.requiredSince === 0)
    expect((await store.access.load()).requiredSince).toBe(0)
  })

  it('stays where credentials are no longer demanded', async () => {
    const store = new DisturbedAccessStore()
    await store.behind.require()
    const access = accessOf({ mode: 'off', store })
    await access.start()
    await until(() => access.requiredSince === 0)
  })
})
