import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { settingsTable } from '../../src/config/table.ts'
import { ERRORS, type ErrorCode } from '../../src/errors.ts'

const text = readFileSync('docs/limits.md', 'utf8')
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what '))
  .map((line) => line.split('|').map((cell) => cell.trim()))

const defaults = new Map(
  Object.values(settingsTable)
    .flatMap((section) => Object.values(section))
    .map((setting) => [setting.name as string, 'default' in setting ? setting.default : undefined]),
)

/** What a number of a setting looks like in the document: with its unit, in the largest that fits. */
function written(name: string, value: number): string {
  if (name.endsWith('_MS')) return `${value / 1_000} s`
  if (name.endsWith('_BYTES')) return `${value / 1_048_576} MiB`
  if (name.endsWith('_MIB')) return `${value} MiB`
  return value.toLocaleString('en')
}

describe('docs/limits.md', () => {
  it('has four cells in each row', () => {
    expect(rows.length).toBeGreaterThan(40)
    for (const row of rows) expect(row).toHaveLength(6)
  })

  it('names codes that there are, with the status that they have', () => {
    const named = [...text.matchAll(/(?:(\d{3}) )?`(COORD_[A-Z_]+)`/g)]
    expect(named.length).toBeGreaterThan(25)
    for (const [, status, code] of named) {
      expect(Object.keys(ERRORS)).toContain(code)
      if (status !== undefined)
        expect([code, ERRORS[code as ErrorCode].status]).toEqual([code, Number(status)])
    }
  })

  it('names settings that there are, with the default that they have', () => {
    const shown = new Set<string>()
    for (const [, , value, setting = ''] of rows) {
      const [, name] = /^`([A-Z_]+)`$/.exec(setting) ?? []
      if (name === undefined) continue
      expect([...defaults.keys()]).toContain(name)
      const known = defaults.get(name)
      // The first row of a setting says what it is; the others are parts of it.
      if (typeof known === 'number' && !shown.has(name) && !value?.includes(name))
        expect({ name, value }).toEqual({ name, value: expect.stringContaining(written(name, known)) })
      shown.add(name)
    }
    expect([...shown].sort()).toEqual([
      'BODIES_MAX_BYTES',
      'COMMIT_QUEUE_MAX',
      'COMMIT_TIMEOUT_MS',
      'CONNECTIONS_MAX',
      'DATABASE_POOL_MAX',
      'JOURNAL_MEMORY_MIB',
      'LIMIT_STREAMS',
      'LIMIT_WRITES_PER_SECOND',
      'PAST_QUESTION_TIMEOUT_MS',
      'QUESTION_TIMEOUT_MS',
      'STREAMS_MAX',
      'TRUSTED_PROXIES',
      'UNSENT_MAX_MIB',
    ])
  })
})
