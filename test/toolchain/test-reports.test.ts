import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReportedFile } from '../../scripts/test-report.ts'

const fine: ReportedFile = { file: 'test/fine.test.ts', passed: 10, skipped: 1, failed: [] }
const late: ReportedFile = { file: 'test/late.test.ts', passed: 3, skipped: 0, failed: ['waits > too long'] }

describe('the second run of failed tests', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coordinator-reports-'))
  })

  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  function write(name: string, files: readonly ReportedFile[], errors = 0): void {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ errors, files }))
  }

  function run(...args: string[]) {
    const { status, stdout } = spawnSync(process.execPath, ['scripts/test-reports.js', ...args], {
      encoding: 'utf8',
    })
    return { status, lines: stdout.trimEnd().split('\n') }
  }

  const again = () => run('again', join(folder, 'test.json')).lines
  const count = (...names: string[]) => run('count', folder, ...names)

  it('is for the files of a few', () => {
    write('test', [fine, late])
    expect(again()).toEqual([late.file])
  })

  it('is not for many, and not where something failed outside of the tests', () => {
    write('test', [fine, { ...late, failed: ['1', '2', '3', '4', '5', '6'] }])
    expect(again()).toEqual([''])
    write('test', [fine, late], 1)
    expect(again()).toEqual([''])
  })

  it('counts instead of the first, and is told of', () => {
    write('test', [fine, late])
    write('test-again', [{ ...late, passed: 4, failed: [] }])
    expect(count('test')).toEqual({
      status: 0,
      lines: [
        'passed only when it ran again, alone: test/late.test.ts > waits > too long',
        '14 passed, 0 failed, 1 not run',
      ],
    })
  })

  it('fails for what fails again, for errors outside of the tests, and for a run without a report', () => {
    write('test', [fine, late])
    write('test-again', [late])
    expect(count('test')).toEqual({ status: 1, lines: ['13 passed, 1 failed, 1 not run'] })
    write('test-again', [{ ...late, failed: [] }], 1)
    expect(count('test')).toMatchObject({ status: 1 })
    expect(count('absent')).toMatchObject({
      status: 1,
      lines: [expect.stringContaining('did not run'), '0 passed, 1 failed'],
    })
    write('test', [])
    expect(count('test')).toMatchObject({ status: 1 })
  })
})
