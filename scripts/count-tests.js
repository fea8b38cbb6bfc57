// The last line of a CI run: how many tests passed and failed, from the JSON reports of the runs themselves.
// Usage: node scripts/count-tests.js FOLDER NAME...   A run without a report counts as one failure.
import { readFileSync } from 'node:fs'

const [folder, ...names] = process.argv.slice(2)
let passed = 0
let failed = 0
let other = 0
for (const name of names) {
  try {
    const report = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))
    passed += report.numPassedTests
    failed += report.numFailedTests
    other += report.numPendingTests + report.numTodoTests
    // A file that cannot be imported has no test to fail.
    const empty = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    )
    failed += empty.length
    // A run may fail without a test: no file was found, or an error came from outside all of them.
    if (!report.success && report.numFailedTests + empty.length === 0) failed += 1
  } catch {
    console.log(`no report of ${name}: it did not run to its end`)
    failed += 1
  }
}
console.log(`${passed} passed, ${failed} failed${other === 0 ? '' : `, ${other} not run`}`)
process.exitCode = failed === 0 ? 0 : 1
