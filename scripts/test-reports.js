// What the runs of tests reported (test-report.ts), for .ci/run, which has no newer Node.js than its caller:
//
//   node scripts/test-reports.js again REPORT          the files that may run a second time, one per line
//   node scripts/test-reports.js count FOLDER NAME...  the last line: how many tests passed and failed
//
// A machine that others use, too, can make a test late that waits for clocks or processes. So the files of a few failed tests run once more,
// alone: the second result counts, and what passed only then is named. Many failures, or an error outside of the tests, are no accident.
import { existsSync, readFileSync } from 'node:fs'

const MOST_AGAIN = 5

const [action, ...args] = process.argv.slice(2)
if (action === 'again') again(args[0])
else if (action === 'count') count(args[0], args.slice(1))
else throw new Error(`test-reports.js knows "again" and "count", not ${action}.`)

function again(path) {
  if (!existsSync(path)) return
  const { errors, files } = read(path)
  const failing = files.filter(({ failed }) => failed.length > 0)
  const count = failing.reduce((sum, { failed }) => sum + failed.length, 0)
  if (errors === 0 && count <= MOST_AGAIN) for (const { file } of failing) console.log(file)
}

function count(folder, names) {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const name of names) {
    const path = `${folder}/${name}.json`
    if (!existsSync(path)) {
      console.log(`no report of ${name}: it did not run to its end`)
      sum.failed += 1
      continue
    }
    const first = read(path)
    const second = existsSync(`${folder}/${name}-again.json`)
      ? read(`${folder}/${name}-again.json`)
      : undefined
    const repeated = new Map(second?.files.map((file) => [file.file, file]))
    for (const report of first.files) {
      const { file, passed, failed, skipped } = repeated.get(report.file) ?? report
      sum.passed += passed
      sum.failed += failed.length
      sum.skipped += skipped
      for (const title of report.failed.filter((title) => !failed.includes(title)))
        console.log(`passed only when it ran again, alone: ${file} > ${title}`)
    }
    sum.failed += first.errors + (second?.errors ?? 0)
    // No file at all was found.
    if (first.files.length === 0) sum.failed += 1
  }
  const skipped = sum.skipped === 0 ? '' : `, ${sum.skipped} not run`
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`)
  process.exitCode = sum.failed === 0 ? 0 : 1
}

function read(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
