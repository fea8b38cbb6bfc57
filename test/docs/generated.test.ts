import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { documents } from '../../scripts/generate/documents.ts'
import { CoordinatorError, ERRORS, type ErrorCode } from '../../src/errors.ts'
import { retryAfterSeconds } from '../../src/http/answering/problem.ts'

const codes = Object.keys(ERRORS) as ErrorCode[]

describe('generated documents', () => {
  it.each(documents)('$path says what the code says (`npm run gen` writes it)', async ({ path, render }) => {
    expect(readFileSync(path, 'utf8')).toBe(await render())
  })

  it('docs/errors.md has one row for each code', () => {
    const rows = readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `(COORD_[A-Z_]+)` \|/gm)
    expect([...rows].map((row) => row[1])).toEqual(Object.keys(ERRORS))
  })
})

describe('the table of errors', () => {
  it.each(Object.entries(ERRORS))('%s has a title and a hint that says what to do', (code, entry) => {
    expect(code).toMatch(/^COORD_[A-Z]+(_[A-Z]+)*$/)
    expect(entry.title).toMatch(/^[\w`].*[^.]$/)
    expect(entry.hint).toMatch(/[.`]$/)
    expect(entry.status).toBeGreaterThanOrEqual(400)
  })

  it.each(codes.filter((code) => /^COORD_(STORE|SCHEMA)_/.test(code)))(
    '%s is a fault of the storage: always 503, with a time to ask again',
    (code) => {
      const error = new CoordinatorError(code)
      expect(error.status).toBe(503)
      expect(retryAfterSeconds(error)).toBeGreaterThan(0)
    },
  )
})
