import { backupNow } from '../../archive/archiver/backup-now.ts'
import { CoordinatorError } from '../../errors.ts'
import { type CommandContext, writeResult } from '../context/command-context.ts'
import { readSharedStore, withStore } from '../context/with-store.ts'
import { countOf } from '../terminal/text-table.ts'
import { type ArchiveOptions, withArchive } from './open-archive.ts'
import { sizeText, timeText } from './sizes.ts'

/** `coordinator backup`: archives all records once. */
export function backupOnce(options: ArchiveOptions, context: CommandContext): Promise<void> {
  return withArchive(options, context, async ({ destination, settings, env, signal }) => {
    const { backupRecipients: recipients } = settings
    const work = withStore(readSharedStore(env), context.terminal, async (store) => {
      await store.open()
      const { point, records, files, bytes } = await backupNow({ store, destination, recipients, signal })
      const { lineage, revision, at } = point
      writeResult(context, options, {
        value: { lineage, revision, at: timeText(at), records, files, bytes },
        text: `Archived ${countOf(records, 'record')} of revision ${revision}, of ${timeText(at)}, in ${countOf(files, 'file')} (${sizeText(bytes)}).\n`,
      })
    })
    await work.catch((thrown: unknown) => {
      throw isInUse(thrown) ? thrown.with({ hint: usedFile }) : thrown
    })
  })
}

const usedFile =
  'A coordinator uses this file. Set BACKUP_URL for that coordinator: it then archives by itself. Or stop it, and run the command again.'

function isInUse(thrown: unknown): thrown is CoordinatorError {
  return thrown instanceof CoordinatorError && thrown.code === 'COORD_STORE_LOCKED'
}
