import type { Setting } from '../../src/config/setting.ts'
import { settingsTable } from '../../src/config/table.ts'

const titles: Record<keyof typeof settingsTable, string> = {
  server: 'Server',
  access: 'Access, limits and TLS',
  database: 'Database',
  supabase: 'Supabase',
  live: 'Commits, following, history',
  backup: 'Backups',
  snapshot: 'Start without the database',
  client: 'Commands',
}

const shown = (value: unknown): string => `\`${String(value)}\``

function defaultOf({ default: value, defaultFor = {}, defaultLabel }: Setting<unknown>): string {
  if (defaultLabel !== undefined) return defaultLabel
  const special = Object.entries(defaultFor).map(([backend, other]) => `${shown(other)} on ${backend}`)
  return [value === undefined ? 'none' : shown(value), ...special].join('; ')
}

function row(setting: Setting<unknown>): string {
  const names = [`\`${setting.name}\``, ...(setting.aliases ?? []).map((alias) => `or \`${alias}\``)].join(
    ' ',
  )
  const value = setting.unit === undefined ? setting.kind.label : `${setting.kind.label}, in ${setting.unit}`
  const description =
    setting.secret === undefined ? setting.description : `${setting.description} **Secret.**`
  return `| ${names} | ${value} | ${defaultOf(setting)} | ${description} |`
}

/** `docs/settings.md`: the table of `src/config/table.ts`, in its order. */
export function renderSettings(): string {
  const sections = Object.entries(settingsTable).map(
    ([key, section]) => `## ${titles[key as keyof typeof settingsTable]}

| variable | value | default | meaning |
|---|---|---|---|
${Object.values<Setting<unknown>>(section).map(row).join('\n')}
`,
  )
  return `<!-- Generated from src/config/table.ts by \`npm run gen\`: change it there. -->

# Settings

Settings are environment variables. You need not set any: the coordinator then keeps everything in memory. An empty variable counts
as unset. A wrong value ends the start with exit code 78, and one line names every fault. No message repeats a value. The coordinator
reads secrets only from the environment and from files, never from arguments.

Every variable marked **Secret** has a second form, with \`_FILE\` after its name, such as \`DATABASE_URL_FILE\`. It names a file that
contains the value, as Docker and Kubernetes provide secrets: text of at most 64 KiB, which is read at the start. One line break at its
end is left out. Set only one of the two forms.

${sections.join('\n')}`
}
