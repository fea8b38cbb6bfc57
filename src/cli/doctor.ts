import { Command } from 'commander'
import type { Settings } from '../config/settings.ts'
import { diagnose } from '../database/diagnosis/diagnose.ts'
import type { AccessFacts } from '../database/diagnosis/find-tokens.ts'
import type { Finding } from '../database/diagnosis/finding.ts'
import { type CommandContext, type OutputOptions, writeResult } from './context/command-context.ts'
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

const nothingSet =
  'No database is set here, so only the memory of this command was examined. Set DATABASE_URL as for the coordinator. `coordinator status` shows what a running coordinator uses.\n'

const marks = { ok: 'ok', warning: 'WARN', problem: 'FAIL' } as const

/** `coordinator doctor`: the faults of the database, each with one step that repairs it. */
export function doctorCommand(context: CommandContext): Command {
  const { terminal, exit } = context
  return new Command('doctor')
    .description('Examine the configured database, and print a repair for each fault.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((options: OutputOptions) => {
      const settings = readStoreSettings(terminal.env)
      return withStore({ ...settings, autoMigrate: false }, terminal, async (store) => {
        if (settings.database.backend === 'memory') terminal.stderr.write(nothingSet)
        const findings: Finding[] = []
        for await (const finding of diagnose(store, accessFactsOf(settings))) {
          findings.push(finding)
          if (options.json !== true) terminal.stdout.write(render(finding))
        }
        const healthy = findings.every(({ state }) => state !== 'problem')
        writeResult(context, options, { value: { healthy, findings }, text: summary(findings, settings) })
        if (!healthy) exit(1)
      })
    })
}

function accessFactsOf({ access: { mode, adminToken, jwt, notBefore } }: Settings): AccessFacts {
  const administrator =
    adminToken !== undefined ? 'AUTH_ADMIN_TOKEN' : jwt !== undefined ? 'AUTH_JWT_ISSUER' : undefined
  return { isRequired: mode === 'required', administrator, notBefore }
}

function render({ check, state, found, repair }: Finding): string {
  const line = `${marks[state].padEnd(4)}  ${check}: ${printable(found)}\n`
  return repair === undefined ? line : `${line}      ${repair.split('\n').map(printable).join('\n      ')}\n`
}

function summary(findings: readonly Finding[], { database }: Settings): string {
  const count = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted).length
  const [problems, warnings] = [count('problem'), count('warning')]
  if (problems === 0 && warnings === 0)
    return database.backend === 'memory' ? 'Nothing but memory was examined.\n' : 'All is well.\n'
  return `${countOf(problems, 'problem')}, ${countOf(warnings, 'warning')}.\n`
}
