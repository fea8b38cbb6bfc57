import { Command } from 'commander'
import type { Settings } from '../config/settings.ts'
import { diagnose, type SettingsFacts } from '../database/diagnosis/diagnose.ts'
import { type Finding, flaw } from '../database/diagnosis/finding.ts'
import {
  type CommandContext,
  isData,
  type OutputOptions,
  withOutput,
  writeResult,
} from './context/command-context.ts'
import { readStoreSettings, withStore } from './context/with-store.ts'
import { countOf, printable } from './terminal/text-table.ts'

const examples = `
Examines the database that the settings name (DATABASE_URL, or the Supabase variables), and changes nothing. A SQLite file can
only be examined while no coordinator uses it.

Ends with exit code 0 if there is no problem (warnings are allowed), and with 1 if there is one.

Examples:
  coordinator doctor
  DATABASE_URL=postgres://app@db.example/app coordinator doctor --json
`

/** A person who runs `doctor` has a database. Its variable is probably set in another shell. */
const nothingSet = flaw('database', 'warning', {
  found: 'No database is set here, so there is nothing to examine. Is one meant?',
  repair:
    'Set DATABASE_URL, or the Supabase variables, as for the coordinator. `coordinator status` shows what a running coordinator uses.',
})

const marks = { ok: 'ok', warning: 'WARN', problem: 'FAIL' } as const

/** `coordinator doctor`: the faults of the database, each with one step that repairs it. */
export function doctorCommand(context: CommandContext): Command {
  const { terminal, exit } = context
  return withOutput(new Command('doctor'))
    .description('Examine the configured database, and print a repair for each fault.')
    .addHelpText('after', examples)
    .action((options: OutputOptions) => {
      const settings = readStoreSettings(terminal.env)
      return withStore({ ...settings, autoMigrate: false }, terminal, async (store) => {
        const inMemory = settings.database.backend === 'memory'
        const findings: Finding[] = []
        for await (const finding of inMemory ? [nothingSet] : diagnose(store, factsOf(settings))) {
          findings.push(finding)
          if (!isData(options)) terminal.stdout.write(render(finding))
        }
        const healthy = findings.every(({ state }) => state !== 'problem')
        writeResult(context, options, { value: { healthy, findings }, text: summary(findings) })
        if (!healthy) exit(1)
      })
    })
}

function factsOf(settings: Settings): SettingsFacts {
  const { database } = settings
  return {
    access: accessFactsOf(settings),
    cluster: {
      isSynchronous: settings.expectSyncStandby,
      hosts: database.backend === 'postgres' ? database.hosts.length : 1,
      failoverMs: settings.expectFailoverMs,
      commitTimeoutMs: settings.commitTimeoutMs,
    },
    replicaReads: settings.databaseReplicaReads,
  }
}

function accessFactsOf({
  access: { mode, adminToken, jwt, notBefore },
}: Settings): NonNullable<SettingsFacts['access']> {
  const administrator =
    adminToken !== undefined ? 'AUTH_ADMIN_TOKEN' : jwt !== undefined ? 'AUTH_JWT_ISSUER' : undefined
  return { isRequired: mode === 'required', administrator, notBefore }
}

function render({ check, state, found, repair }: Finding): string {
  const line = `${marks[state].padEnd(4)}  ${check}: ${printable(found)}\n`
  return repair === undefined ? line : `${line}      ${repair.split('\n').map(printable).join('\n      ')}\n`
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted).length
  const [problems, warnings] = [count('problem'), count('warning')]
  if (problems === 0 && warnings === 0) return 'All is well.\n'
  return `${countOf(problems, 'problem')}, ${countOf(warnings, 'warning')}.\n`
}
