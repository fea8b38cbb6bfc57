import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** What `TEST_REPORT` holds after a run; test-reports.js reads it. */
export interface ReportedRun {
  /** How many errors came from outside of all tests. */
  readonly errors: number
  readonly files: readonly ReportedFile[]
}

export interface ReportedFile {
  /** From the root of the project. */
  readonly file: string
  readonly passed: number
  readonly skipped: number
  /** The full titles. */
  readonly failed: readonly string[]
}

/** A reporter of Vitest that writes how the tests of each file ended. */
export class TestReport implements Reporter {
  readonly #path: string

  /** @param path of the file that is written when the run ends */
  constructor(path: string) {
    this.#path = path
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const run: ReportedRun = { errors: errors.length, files: modules.map(reported) }
    writeFileSync(this.#path, JSON.stringify(run))
  }
}

function reported(module: TestModule): ReportedFile {
  const tests = [...module.children.allTests()]
  const titlesOf = (state: 'passed' | 'skipped' | 'failed') =>
    tests.filter((test) => test.result().state === state).map(({ fullName }) => fullName)
  const failed = titlesOf('failed')
  // What cannot be imported, or prepared, has no test that failed.
  if (failed.length === 0 && module.state() === 'failed') failed.push('(the file itself)')
  return {
    file: relative('.', module.moduleId),
    ...{ passed: titlesOf('passed').length, skipped: titlesOf('skipped').length, failed },
  }
}
