import { ServedRecords } from './served-records.ts'

/** Writes one snapshot after another, and prints the revision of each that is whole, until somebody kills the process. */
const records = new ServedRecords()
const path = process.argv[2] ?? ''
process.stdout.write('\n')
for (;;) {
  records.add(4_000)
  records.confirmedAt = Date.now()
  const { promise, resolve } = Promise.withResolvers<void>()
  const writer = records.writer(path, {
    observer: {
      written({ revision }) {
        process.stdout.write(`${revision}\n`)
        resolve()
      },
    },
  })
  writer.start()
  await promise
  await writer.finish(10_000)
}
