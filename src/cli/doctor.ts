import { Command } from 'commander'
import { readSettings } from '../config/settings.ts'
import { diagnose } from '../database/diagnosis/diagnose.ts'
import type { Finding } from '../database/diagnosis/finding.ts'
import { makeStore } from '../database/open.ts'
import { announceDatabase, type CommandContext } from './command-context.ts'
import { printable } from './text-table.ts'

interface DoctorOptions {
  readonly json?: true
}

const examples = `
Looks at the database that the settings name (DATABASE_URL, or the Supabase variables), and changes nothing. A SQLite file
can only be looked at while no coordinator uses it.

Ends with exit code 0 where all is well or only warnings are left, and with 1 where there is a problem.

Examples:
  coordinator doctor
  DATABASE_URL=postgres://app@db.example/app coordinator doctor --json
`

const nothingSet =
  'No database is set here. What a running coordinator uses is shown by `coordinator status`.\n'

const marks = { ok: 'ok', warning: 'WARN', problem: 'FAIL' } as const

/** `coordinator doctor`: what is wrong with the database, and the one step that mends it. */
export function doctorCommand({ terminal, exit }: CommandContext): Command {
  return new Command('doctor')
    .description('Examine the configured database, and say what mends each fault.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async ({ json }: DoctorOptions) => {
      const settings = readSettings(terminal.env)
      const store = await makeStore({ ...settings, autoMigrate: false })
      const findings: Finding[] = []
      announceDatabase(terminal, settings)
      if (settings.database.backend === 'memory') terminal.stderr.write(nothingSet)
      try {
        for await (const finding of diagnose(store)) {
          findings.push(finding)
          if (json !== true) terminal.stdout.write(render(finding))
        }
      } finally {
        await store.close()
      }
      const healthy = findings.every(({ state }) => state !== 'problem')
      if (json === true) terminal.stdout.write(`${JSON.stringify({ healthy, findings })}\n`)
      else terminal.stdout.write(summary(findings))
      if (!healthy) exit(1)
    })
}

function render({ check, state, found, repair }: Finding): string {
  const line = `${marks[state].padEnd(4)}  ${check}: ${printable(found)}\n`
  return repair === undefined ? line : `${line}      ${repair.split('\n').map(printable).join('\n      ')}\n`
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted).length
  const problems = count('problem')
  const warnings = count('warning')
  if (problems === 0 && warnings === 0) return 'All is well.\n'
  return `${problems} ${problems === 1 ? 'problem' : 'problems'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.\n`
}
