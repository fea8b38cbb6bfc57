import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { type Environment, variablesOf } from '../../config/given-text.ts'
import { settingsTable } from '../../config/table.ts'
import { CoordinatorError } from '../../errors.ts'

/** The settings that say which database is meant. They never come from two places at once. */
const databaseVariables: ReadonlySet<string> = new Set(
  Object.values({ ...settingsTable.database, ...settingsTable.supabase }).flatMap(variablesOf),
)

/**
 * The environment with the variables of a file, which win. The database is that of the file alone: half of its settings from the file and
 * half from the shell would name a database that nobody meant.
 *
 * @throws COORD_CLI_FILE
 */
export function withEnvFile(path: string, env: Environment): Environment {
  const others = Object.entries(env).filter(([name]) => !databaseVariables.has(name))
  return { ...Object.fromEntries(others), ...parsed(path) }
}

function parsed(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    throw new CoordinatorError('COORD_CLI_FILE', {
      detail: `The file of settings ${path} cannot be read (${code ?? message}).`,
      hint: 'Give the path of a file with a line `NAME=value` for each setting.',
      cause: thrown,
    })
  }
}
