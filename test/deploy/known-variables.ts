import { variablesOf } from '../../src/config/given-text.ts'
import type { Setting } from '../../src/config/setting.ts'
import { settingsTable } from '../../src/config/table.ts'

/** Variables of Node.js itself that files of `deploy` may set. */
const ofNode = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']

const ofSettings = Object.values(settingsTable).flatMap((section) =>
  Object.values<Setting<unknown>>(section).flatMap((setting) => variablesOf(setting)),
)

/** The names that no part of the coordinator reads. */
export function unknownVariables(names: Iterable<string>): string[] {
  const known = new Set([...ofNode, ...ofSettings])
  return [...names].filter((name) => !known.has(name))
}
