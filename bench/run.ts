/** `npm run bench`: measures every claim about speed, prints the ratios, and writes them to `docs/benchmarks.md`. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { report, type Section, summary } from './report.ts'
import type { Scenario } from './scenario.ts'
import { against as scenariosAgainst } from './scenarios/against.ts'
import { commits } from './scenarios/commits.ts'
import { graph } from './scenarios/graph.ts'
import { hostileNeighbours } from './scenarios/hostile-neighbours.ts'
import { large } from './scenarios/large.ts'
import { reads } from './scenarios/reads.ts'
import { readsAccess } from './scenarios/reads-access.ts'
import { readsBackends } from './scenarios/reads-backends.ts'
import { registersMemory, registersSqlite } from './scenarios/registers.ts'
import { registersArchived } from './scenarios/registers-archived.ts'
import { registersPostgres, registersSupabase } from './scenarios/registers-remote.ts'
import { restores } from './scenarios/restores.ts'
import { streams } from './scenarios/streams.ts'

const peers: readonly Scenario[] = [
  reads,
  readsAccess,
  readsBackends,
  registersMemory,
  registersSqlite,
  registersPostgres,
  registersSupabase,
  registersArchived,
  restores,
  commits,
  graph,
  streams,
  hostileNeighbours,
  large,
]

interface Arguments {
  readonly rounds: number
  readonly seconds: number
  readonly largest: number
  readonly write: boolean
  readonly against?: string
}

const program = new Command('npm run bench --')
  .description('Measures the coordinator against its peers, in turn, and prints ratios.')
  .argument('[scenarios...]', `which to run: ${peers.map(({ name }) => name).join(', ')}`)
  .option('--rounds <count>', 'how often both sides are measured', number, 5)
  .option('--seconds <count>', 'how long one measurement takes', number, 4)
  .option('--largest <count>', 'the largest number of services', number, 1_000_000)
  .option('--against <folder>', 'measure this checkout against another one instead, and write nothing')
  .option('--no-write', 'do not write docs/benchmarks.md')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench\n  npm run bench -- reads --rounds 1 --seconds 1 --no-write\n  npm run bench -- registers-postgres --against ../main',
  )
  .action(run)

// Servers that tests start do not keep a process alive; a measurement waits for nothing else at times.
const alive = setInterval(() => undefined, 60_000)
await program.parseAsync()
clearInterval(alive)

async function run(
  names: readonly string[],
  { rounds, seconds, largest, write, against }: Arguments,
): Promise<void> {
  const scenarios = against === undefined ? peers : scenariosAgainst(resolve(against))
  const chosen = names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name))
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown.length > 0) program.error(`There is no scenario ${unknown.join(', ')}.`, { exitCode: 2 })
  const options = {
    rounds,
    roundMs: seconds * 1_000,
    largest,
    progress: (line: string) => console.error(`  ${line}`),
  }
  const sections: Section[] = []
  for (const scenario of chosen) {
    console.error(`${scenario.title} ...`)
    try {
      const rows = await scenario.run(options)
      sections.push({ scenario, rows })
      console.error(summary(rows))
    } catch (thrown) {
      // The others took minutes each: what they found is told all the same.
      console.error(`  failed: ${(thrown as Error).stack}`)
      process.exitCode = 1
    }
  }
  const text = report(sections, options)
  console.log(text)
  // A part of the scenarios must not replace the figures of all.
  if (write && against === undefined && sections.length === scenarios.length)
    await writeFile(new URL('../docs/benchmarks.md', import.meta.url), text)
  const missed = sections.flatMap(({ rows }) => rows).filter(({ reached }) => !reached)
  if (missed.length > 0) console.error(`Missed: ${missed.map(({ what }) => what).join('; ')}`)
}

function number(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It has to be a number above 0.')
  return value
}
