import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import type { SqliteStore } from '../../src/database/sqlite/store.ts'
import { commitOf, put, remove } from '../conformance/build.ts'
import { accepted, Caller, loadAll, refusal } from '../conformance/caller.ts'
import { type Folder, inFolder } from './in-folder.ts'

/** A store whose database refuses every write of a record whose id begins with `bad`. */
async function poisoned({ file, store }: Folder): Promise<SqliteStore> {
  const owner = store()
  await owner.open()
  const database = new DatabaseSync(file())
  database.exec(
    `create trigger refuse before insert on writes when new.id like 'bad%' begin select raise(abort, 'no'); end`,
  )
  database.close()
  return owner
}

describe('sqlite: a commit that the database refuses', () => {
  it.each([1, 2, 7, 64])('is alone refused, wherever it stands in a batch of %i', (size) =>
    inFolder(async (folder) => {
      const owner = await poisoned(folder)
      for (const place of new Set([0, Math.floor(size / 2), size - 1])) {
        const caller = await Caller.at(owner)
        const { revision } = caller.position
        const ids = Array.from(
          { length: size },
          (_, index) => `${index === place ? 'bad' : 'good'}-${place}-${index}`,
        )
        const results = await caller.send(...ids.map((id) => commitOf(put(id))))
        const error = refusal(results[place])
        expect(error).toMatchObject({
          code: 'COORD_COMMIT_REFUSED',
          outcome: 'not_written',
          sourceCode: '1811',
        })
        const others = results.filter((_, index) => index !== place)
        expect(others.map((result) => accepted(result).revision)).toEqual(
          others.map((_, index) => revision + 1 + index),
        )
        expect(caller.position).toEqual((await owner.head()).position)
      }
    })(),
  )

  it(
    'is refused together with others of its kind, and the rest keeps its order',
    inFolder(async (folder) => {
      const owner = await poisoned(folder)
      const caller = await Caller.at(owner)
      const results = await caller.send(
        commitOf(put('bad-1')),
        commitOf(put('a')),
        commitOf(put('b'), put('bad-2')),
        commitOf(put('a', { v: 2 })),
        commitOf(remove('a')),
        commitOf(put('bad-3')),
      )
      expect(results.map(({ outcome }) => outcome)).toEqual([
        'refused',
        'accepted',
        'refused',
        'accepted',
        'accepted',
        'refused',
      ])
      const { records, tombstones } = await loadAll(owner)
      expect(records).toEqual([])
      expect(tombstones).toMatchObject([{ id: 'a', revision: 3 }])
    }),
  )
})
