import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { tokenOf } from '../conformance/build.ts'
import { inFolder } from './in-folder.ts'

const insert = (verb: string) =>
  `${verb} into access_tokens (id, name, scopes, secret_hash, created_at, created_by)
   values ('${tokenOf('ci').id}', 'mine', '["admin"]', '${'a'.repeat(64)}', 1, 'me')`

describe('sqlite: tokens that somebody changes by hand', () => {
  it.each([
    ['inserting', insert('insert').replace(tokenOf('ci').id, 'aaaaaaaaaaaa')],
    ['inserting or ignoring', insert('insert or ignore').replace(tokenOf('ci').id, 'aaaaaaaaaaaa')],
    ['replacing', insert('replace')],
    ['taking a revocation back', 'update access_tokens set revoked_at = null, revoked_by = null'],
    ['changing the hash', `update access_tokens set secret_hash = '${'a'.repeat(64)}'`],
    ['deleting', 'delete from access_tokens'],
  ])('are refused, with the command that changes them: %s', (_, sql) =>
    inFolder(async ({ store, file }) => {
      const owner = store()
      await owner.open()
      const { id } = await owner.access.put(tokenOf('ci'))
      await owner.access.revoke(id, 'token:admin')
      const before = await owner.access.load()
      const byHand = (alone: boolean) => {
        const database = new DatabaseSync(file())
        try {
          if (alone) database.exec('pragma recursive_triggers = off; pragma trusted_schema = on')
          database.exec(sql)
        } finally {
          database.close()
        }
      }
      expect(() => byHand(false)).toThrow('coordinator token')
      await owner.close()
      // Without a coordinator, too.
      expect(() => byHand(true)).toThrow('coordinator token')
      const next = store()
      await next.open()
      expect(await next.access.load()).toEqual(before)
    })(),
  )

  it(
    'are refused while the coordinator changes tokens itself: nobody sees its transaction',
    inFolder(async ({ store, file }) => {
      const owner = store()
      await owner.open()
      await owner.access.put(tokenOf('ci'))
      const database = new DatabaseSync(file(), { timeout: 5_000 })
      const puts = Array.from({ length: 50 }, (_, at) => owner.access.put(tokenOf(`t${at}`)))
      for (let attempt = 0; attempt < 50; attempt += 1)
        expect(() => database.exec('delete from access_tokens')).toThrow('coordinator token')
      database.close()
      await Promise.all(puts)
      expect((await owner.access.load()).tokens).toHaveLength(51)
    }),
  )

  it(
    'come back with a copy of the file, the revoked ones revoked',
    inFolder(async ({ store, file }) => {
      const owner = store()
      await owner.open()
      const { id } = await owner.access.put(tokenOf('ci'))
      await owner.access.revoke(id, 'token:admin')
      const database = new DatabaseSync(file())
      database.exec(`vacuum into '${file('copy.db')}'`)
      database.close()
      const copy = store({ path: file('copy.db') })
      const head = await copy.open()
      await copy.fork(head.position)
      expect(await copy.access.load()).toEqual(await owner.access.load())
      expect((await copy.access.put(tokenOf('ci'))).revokedAt).not.toBeNull()
    }),
  )
})
