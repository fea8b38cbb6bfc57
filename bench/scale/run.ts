/** `npm run bench:scale`: what one coordinator needs for your services, and how many it takes. */
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Backend, estimate, type Question } from './estimate.ts'
import { estimateText } from './estimate-text.ts'
import { measureFile } from './measure-file.ts'

interface Arguments extends Omit<Question, 'bytes' | 'dependencies'> {
  readonly bytes?: number
  readonly dependencies?: number
  readonly file?: string
  readonly json?: true
}

const backends: readonly Backend[] = ['memory', 'sqlite', 'postgres', 'supabase']

const program = new Command('npm run bench:scale --')
  .description('Computes what a coordinator needs for your services. docs/scale.md explains the formulas.')
  .option('--services <count>', 'registered services', number, 500)
  .option('--bytes <count>', 'mean length of a registration as JSON (default: 300)', number)
  .option('--dependencies <count>', 'mean number of dependencies of a service (default: 3)', number)
  .option('--file <path>', 'takes both from a file: a JSON array of registrations, or JSON Lines')
  .option('--writes <rate>', 'changes in a second, without heartbeats', number, 1)
  .option('--reads <rate>', 'reading requests in a second', number, 100)
  .option('--readers <count>', 'open streams of GET /changes', number, 10)
  .option('--keep-days <count>', 'how long the history is kept', number, 30)
  .addOption(new Option('--backend <name>', 'the database').choices(backends).default('postgres'))
  .option('--json', 'prints JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:scale -- --services 500 --backend sqlite\n  npm run --silent bench:scale -- --file examples/data/online-boutique.json --services 5000 --json',
  )
  .action(run)

program.parse()

function run({ file, json, bytes, dependencies, ...given }: Arguments): void {
  const seen = file === undefined ? { bytes: 300, dependencies: 3 } : ofFile(file)
  const question = {
    ...given,
    bytes: bytes ?? seen.bytes,
    dependencies: dependencies ?? seen.dependencies,
  }
  const answer = estimate(question)
  console.log(json ? JSON.stringify({ question, ...answer }, undefined, 2) : estimateText(answer))
}

function ofFile(path: string) {
  try {
    return measureFile(readFileSync(path, 'utf8'))
  } catch (error) {
    return program.error(`error: --file ${path}: ${(error as Error).message}`)
  }
}

function number(text: string): number {
  if (!/^\d{1,12}(\.\d{1,6})?$/.test(text))
    throw new InvalidArgumentError('Give a number from 0 on, such as 500 or 0.5.')
  return Number(text)
}
