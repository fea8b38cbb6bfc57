import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  databaseOf,
  type Estimate,
  estimate,
  heapOf,
  heapToSet,
  journalOf,
  machineOf,
  type Question,
  startOf,
} from '../../bench/scale/estimate.ts'
import { costs, planned, rates } from '../../bench/scale/figures.ts'
import { measureFile } from '../../bench/scale/measure-file.ts'

interface Point {
  readonly services: number
  readonly revisions: number
  /** The mean length of a stored registration. */
  readonly bytes: number
  readonly dependencies?: number
  readonly heap: number
  readonly resident: number
  readonly database: number
}

const measured = JSON.parse(readFileSync('bench/scale/measured.json', 'utf8')) as {
  readonly sqlite: readonly Point[]
  readonly memory: readonly Point[]
  readonly postgres: readonly Point[]
  readonly bases: readonly { services: number; bytes: number; base: number }[]
  readonly journals: readonly { revisions: number; bytes: number; files: number; journal: number }[]
  readonly readers: readonly { kind: string; connections: number; heap: number; resident: number }[]
}

const small: Question = {
  ...{ backend: 'sqlite', services: 500, bytes: 270, dependencies: 2 },
  ...{ writes: 0, reads: 0, readers: 0, keepDays: 30 },
}

/** The question whose answer was measured. History is given by its number of revisions: some were written in one day. */
function asMeasured(
  backend: Question['backend'],
  point: Pick<Point, 'services' | 'revisions' | 'bytes' | 'dependencies'>,
): Question {
  const { services, revisions, bytes, dependencies = 2 } = point
  const writes = (revisions - services) / 86_400
  return { ...small, ...{ backend, services, bytes, dependencies, writes, keepDays: 1 } }
}

/** How far a formula is from what was measured, as a part of that. */
function errorOf(computed: number, found: number): number {
  return Math.abs(computed / found - 1)
}

function figureOf({ lines }: Estimate, name: string): number {
  const line = lines.find((each) => each.name === name)
  if (line === undefined) throw new Error(`There is no line ${name}.`)
  return line.value
}

describe('the formulas against what was measured', () => {
  it('were measured with services from none to a million', () => {
    const sizes = new Set(measured.sqlite.map(({ services }) => services))
    expect([...sizes].sort((one, other) => one - other)).toEqual([
      0, 1_000, 10_000, 20_000, 100_000, 1_000_000,
    ])
  })

  it.each(measured.sqlite)(
    'SQLite, $services services of $bytes bytes, $revisions revisions: heap and file',
    (point) => {
      const question = asMeasured('sqlite', point)
      expect(errorOf(heapOf(question), point.heap)).toBeLessThan(0.15)
      expect(point.resident).toBeLessThan(machineOf(heapToSet(heapOf(question)), 0))
      if (point.services > 0) expect(errorOf(databaseOf(question), point.database)).toBeLessThan(0.15)
    },
  )

  it.each(measured.memory)('memory, $services services, $revisions revisions: heap', (point) => {
    expect(errorOf(heapOf(asMeasured('memory', point)), point.heap)).toBeLessThan(0.15)
  })

  it.each(measured.postgres)(
    'PostgreSQL, $services services of $bytes bytes, $revisions revisions: database',
    (point) => {
      expect(errorOf(databaseOf(asMeasured('postgres', point)), point.database)).toBeLessThan(0.15)
    },
  )

  it('archive: the base of real services, and the journal, which is smaller in large files', () => {
    const [real] = measured.bases
    expect(real).toBeDefined()
    if (real !== undefined)
      expect(errorOf(real.services * real.bytes * costs.archive.baseByte, real.base)).toBeLessThan(0.15)
    const [large, ...slow] = measured.journals
    expect(large?.journal).toBeLessThan(journalOf(large ?? { revisions: 0, bytes: 0, files: 0 }))
    for (const point of slow) expect(errorOf(journalOf(point), point.journal)).toBeLessThan(0.15)
  })

  it('readers: the heap and all memory of a stream', () => {
    const stream = measured.readers.find(({ kind }) => kind === 'stream')
    const { heap = 0, resident = 0, connections = 1 } = stream ?? {}
    expect(errorOf(costs.heap.stream, heap / connections)).toBeLessThan(0.15)
    expect(errorOf(costs.heap.stream + costs.outside.stream, resident / connections)).toBeLessThan(0.15)
  })
})

describe('the planned rates', () => {
  const benchmarks = readFileSync('docs/benchmarks.md', 'utf8')

  it.each([rates.reads, ...Object.values(rates.writes)])(
    '$measured a second are at most what docs/benchmarks.md shows for $section',
    ({ measured: rate, section, row }) => {
      const part = benchmarks.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? ''
      const shown = new RegExp(`^\\| ${row} \\| ([\\d,]+)`, 'm').exec(part)?.[1]?.replaceAll(',', '')
      // The machine that measures next is not the same: a fifth less is no other plan, because half is planned.
      expect(Number(shown)).toBeGreaterThan(rate * 0.8)
    },
  )
})

describe('the time of a start', () => {
  const benchmarks = readFileSync('docs/benchmarks.md', 'utf8')
  const secondsOf = (row: string) => Number(new RegExp(`\\| ${row} \\| ([\\d.]+) s`).exec(benchmarks)?.[1])

  it.each([
    ['postgres', 'PostgreSQL'],
    ['supabase', 'Supabase'],
  ] as const)('%s: that of SQLite, and what the store takes longer to load', (backend, title) => {
    const longer =
      secondsOf(`${title}: loading 100,000 services`) - secondsOf('SQLite: loading 100,000 services')
    const start = secondsOf('Start with 100,000 services until ready') + longer
    expect(errorOf(startOf({ backend, services: 100_000 }), start)).toBeLessThan(0.2)
  })
})

describe('an estimate', () => {
  const questions = fc.record({
    backend: fc.constantFrom('memory', 'sqlite', 'postgres', 'supabase'),
    services: fc.integer({ min: 0, max: 20_000_000 }),
    bytes: fc.integer({ min: 50, max: 1_000_000 }),
    dependencies: fc.integer({ min: 0, max: 256 }),
    writes: fc.double({ min: 0, max: 100_000, noNaN: true }),
    reads: fc.double({ min: 0, max: 10_000_000, noNaN: true }),
    readers: fc.integer({ min: 0, max: 100_000_000 }),
    keepDays: fc.integer({ min: 1, max: 3_650 }),
  }) satisfies fc.Arbitrary<Question>
  const more = fc.constantFrom('services', 'writes', 'reads', 'readers')

  it('never needs fewer databases for more, nor fewer coordinators of as many databases', () => {
    fc.assert(
      fc.property(questions, more, fc.integer({ min: 2, max: 50 }), (question, field, times) => {
        const before = estimate(question)
        const after = estimate({ ...question, [field]: (question[field] + 1) * times })
        const [databases, then] = [figureOf(before, 'databases'), figureOf(after, 'databases')]
        expect(then).toBeGreaterThanOrEqual(databases)
        // With more databases, each has fewer readers and fewer changes.
        if (then === databases)
          expect(figureOf(after, 'coordinators')).toBeGreaterThanOrEqual(figureOf(before, 'coordinators'))
      }),
    )
  })

  it('never needs less memory, database or archive for more, as long as one database carries it', () => {
    const fields = fc.constantFrom('services', 'bytes', 'dependencies', 'writes', 'readers', 'keepDays')
    const one = questions.map((question) => ({
      ...question,
      services: question.services % 400_000,
      writes: question.writes % 1_000,
    }))
    fc.assert(
      fc.property(one, fields, (question, field) => {
        const before = estimate(question)
        const after = estimate({ ...question, [field]: question[field] * 2 })
        for (const { name, value } of before.lines)
          expect(figureOf(after, name), name).toBeGreaterThanOrEqual(value)
      }),
    )
  })

  it('gives finite figures, and says what to do', () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { lines, advice, oneCarriesIt } = estimate(question)
        expect(lines.filter(({ value }) => !Number.isFinite(value))).toEqual([])
        expect(advice.length).toBeGreaterThan(0)
        expect(oneCarriesIt).toBe(advice.includes('One coordinator carries this.'))
      }),
    )
  })

  it('plans one coordinator up to the limits, and not beyond', () => {
    const full = {
      ...small,
      ...{ services: planned.services, reads: planned.reads, readers: planned.readers, writes: 4 },
    }
    expect(estimate(full).oneCarriesIt).toBe(true)
    for (const field of ['services', 'reads', 'readers'] as const)
      expect(estimate({ ...full, [field]: full[field] + 1 }).oneCarriesIt).toBe(false)
    expect(estimate({ ...full, writes: 5 }).oneCarriesIt).toBe(false)
  })
})

function run(...args: string[]): string {
  return execFileSync(process.execPath, ['bench/scale/run.ts', ...args], { encoding: 'utf8', stdio: 'pipe' })
}

describe('docs/scale.md', () => {
  const text = readFileSync('docs/scale.md', 'utf8')
  const examples = [...text.matchAll(/^```console\n\$ npm run bench:scale -- (.+)\n([\s\S]*?)^```$/gm)]

  it('has three examples', () => {
    expect(examples).toHaveLength(3)
  })

  it.each(examples.map(([, args = '', output = '']) => ({ args, output })))(
    'shows what the script prints for $args',
    ({ args, output }) => {
      expect(run(...args.split(' '))).toBe(output)
    },
  )

  it('has commands that work', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(scripts['bench:scale']).toMatch(/ node bench\/scale\/run\.ts$/)
    const commands = [...text.matchAll(/^```sh\nnpm run bench:scale -- (.+)\n```$/gm)]
    expect(commands).toHaveLength(text.split('```sh').length - 1)
    for (const [, args = ''] of commands) expect(run(...args.split(' '))).toContain('heap to set')
  })

  it('names the planned and the measured rates', () => {
    for (const { measured: rate } of [rates.reads, ...Object.values(rates.writes)])
      expect(text).toContain(
        `| ${rate.toLocaleString('en')} a second | ${(rate / 2).toLocaleString('en')} a second |`,
      )
    expect(text).toContain(`| ${planned.events.toLocaleString('en')} a second |`)
    for (const bytes of [costs.heap.service, costs.heap.revision])
      expect(text).toContain(`| ${bytes} bytes of the heap`)
    for (const { revision } of Object.values(costs.database))
      expect(text).toContain(`| ${revision} bytes of the database`)
  })

  it('shows the measured sizes', () => {
    for (const { services, heap, resident, database } of measured.sqlite.filter(
      ({ services }) => services !== 20_000,
    )) {
      const mib = (bytes: number) => (bytes / 1_048_576).toFixed(0)
      expect(text).toContain(
        `| ${services.toLocaleString('en')} | ${mib(heap)} MiB | ${mib(resident)} MiB | ${mib(database)} MiB |`,
      )
    }
  })
})

describe('node bench/scale/measure.ts', () => {
  it('refuses a part that it does not have, and names the others', () => {
    const measure = () =>
      execFileSync(process.execPath, ['bench/scale/measure.ts', 'disks'], { encoding: 'utf8', stdio: 'pipe' })
    expect(measure).toThrow('choose of readers, memory, bases, journals, postgres, sqlite')
  })
})

describe('npm run bench:scale', () => {
  it('prints JSON with the question, every figure, and its formula', () => {
    const answer = JSON.parse(run('--services', '1000', '--backend', 'sqlite', '--json'))
    expect(answer.question).toMatchObject({ services: 1_000, backend: 'sqlite', bytes: 300 })
    expect(answer.oneCarriesIt).toBe(true)
    for (const line of answer.lines) expect(line.formula).not.toBe('')
  })

  it('measures a file of registrations, as an array or as lines', () => {
    const text = readFileSync('examples/data/online-boutique.json', 'utf8')
    const lines = (JSON.parse(text) as unknown[]).map((each) => JSON.stringify(each)).join('\n')
    expect(measureFile(lines)).toEqual(measureFile(text))
    const { question } = JSON.parse(run('--file', 'examples/data/online-boutique.json', '--json'))
    expect(question).toMatchObject(measureFile(text))
    expect(question.bytes).toBeGreaterThan(150)
  })

  it.each([
    [['--services', '-1'], 'Give a number from 0 on'],
    [['--writes', 'many'], 'Give a number from 0 on'],
    [['--backend', 'oracle'], 'memory, sqlite, postgres, supabase'],
    [['--file', 'no-such-file.json'], 'no-such-file.json'],
    [['--file', 'package.json'], '--file package.json'],
  ])('refuses %j, and says why', (args, message) => {
    expect(() => run(...args)).toThrow(message)
  })
})
