import { backup, DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { Live } from '../../src/live/live.ts'
import { commitOf, put } from '../conformance/build.ts'
import { plainDomain, servedIds, until } from '../support/with-live.ts'
import { inFolder } from './in-folder.ts'

it(
  'L29: other content in the file of a running coordinator is not served, until the coordinator starts again',
  inFolder(async ({ file, store }) => {
    const other = store({ path: file('other.db') })
    const stranger = new Live(other, plainDomain)
    await stranger.start()
    await stranger.commit(commitOf(put('x')))
    await stranger.stop()

    const live = new Live(store(), plainDomain)
    await live.start()
    await live.commit(commitOf(put('a')))
    const source = new DatabaseSync(file('other.db'))
    await backup(source, file())
    source.close()
    await until(() => live.status.code === 'COORD_STORE_REPLACED')
    await expect(live.commit(commitOf(put('b')))).rejects.toMatchObject({
      code: 'COORD_STORE_REPLACED',
      outcome: 'not_written',
    })
    expect(servedIds(live.view)).toEqual(['a'])
    await live.stop()

    const again = new Live(store(), plainDomain)
    await again.start()
    expect(servedIds(again.view)).toEqual(['x'])
    expect(await again.commit(commitOf(put('b')))).toMatchObject({ revision: 2 })
    await again.stop()
  }),
)
