import { Command } from 'commander'
import { isActiveToken } from '../database/diagnosis/find-tokens.ts'
import type { Head, Store } from '../database/store.ts'
import { CoordinatorError } from '../errors.ts'
import {
  type CommandContext,
  type OutputOptions,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { readSharedStore, withStore } from './context/with-store.ts'
import { countOf } from './terminal/text-table.ts'

const examples = `
A backup lacks the newest revisions that clients have seen. Without a new lineage, the coordinator would give the same numbers to
other revisions. In a new lineage, no ETag, revision or position of the old one is valid. Clients that still use one are told so.

A coordinator that kept running notices a restore by itself if it had seen newer revisions than the backup has. Otherwise run this
command after the restore, before the first start.

If the data was restored without its head (\`pg_dump --data-only\`), the command makes the head the end of what is stored. Coordinators
that kept running then ask for \`coordinator accept-history\`.

A backup may also bring back tokens that were revoked after it was made. If the database has tokens, the command recommends a value for
AUTH_NOT_BEFORE, with which coordinators refuse every credential that was issued before.

Examples:
  DATABASE_URL=sqlite:./data/coordinator.db coordinator after-restore
  DATABASE_URL=postgres://app@db.example/app coordinator after-restore --json
`

/** What to do about tokens that the backup brought back. */
function tokenAdvice(count: number, time: string): string {
  const subject = `The database has ${countOf(count, 'active token')}.`
  return `${subject} A token that was revoked after the backup was made may be active again.
To refuse all tokens of the past, start the coordinators with AUTH_NOT_BEFORE=${time} and an AUTH_ADMIN_TOKEN, and create new tokens.
Or compare \`coordinator token list\` with what you know was revoked, and revoke those tokens again.
`
}

/** `coordinator after-restore`: starts a new lineage in a database that came from a backup. */
export function afterRestoreCommand(context: CommandContext): Command {
  return withOutput(new Command('after-restore'))
    .description('Start a new lineage after the database was restored from a backup.')
    .addHelpText('after', examples)
    .action((options: OutputOptions) => {
      return withStore(readSharedStore(context.terminal.env), context.terminal, async (store) => {
        const damage = await damageOf(store)
        const { position, ancestors } = await beginLineage(store)
        const { tokens } = await store.access.load()
        const now = Date.now()
        const active = tokens.filter((token) => isActiveToken(token, now)).length
        const authNotBefore = active === 0 ? undefined : new Date(now).toISOString()
        const previous = ancestors.at(-1)
        const { lineage, revision } = position
        const mended = damage === undefined ? '' : `The head was wrong, and is mended. ${damage.detail}\n`
        writeResult(context, options, {
          value: {
            previous,
            lineage,
            revision,
            mended: damage !== undefined,
            activeTokens: active,
            ...(authNotBefore === undefined ? {} : { authNotBefore }),
          },
          text: `${mended}The history continues from revision ${revision} with the lineage ${lineage} (before: ${previous}).\n`,
        })
        if (authNotBefore !== undefined) context.terminal.stderr.write(tokenAdvice(active, authNotBefore))
      })
    })
}

/** Opens the store. @returns the fault, if the head does not fit the rest of the database. @throws every other fault */
async function damageOf(store: Store): Promise<CoordinatorError | undefined> {
  try {
    await store.open()
    return undefined
  } catch (thrown) {
    if (thrown instanceof CoordinatorError && thrown.code === 'COORD_STORE_DAMAGED') return thrown
    throw thrown
  }
}

/** @returns the head of the open store */
async function beginLineage(store: Store): Promise<Head> {
  await store.mendHead?.()
  return store.open()
}
