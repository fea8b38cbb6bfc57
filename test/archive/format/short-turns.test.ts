import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, test } from 'vitest'
import type { LogPage, NewFile } from '../../../src/archive/format/archive-format.ts'
import { readBasePart } from '../../../src/archive/format/read-base.ts'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { recordSize, writeBase } from '../../../src/archive/format/write-base.ts'
import { splitLog, writeLog } from '../../../src/archive/format/write-log.ts'
import { canonicalJson } from '../../../src/records/canonical-json.ts'
import type { StoredRecord } from '../../../src/records/record.ts'
import {
  collected,
  inOrder,
  inPages,
  newLineage,
  pointAfter,
  sampleEntries,
} from '../../support/archive-samples.ts'
import { dearness } from '../../support/dearness.ts'

const COUNT = 20_000
/** For how long nobody else may get a turn, in milliseconds of work. */
const LIMIT_MS = 50
const lineage = newLineage()

let identity: string
let recipients: string[]
let records: StoredRecord[]
let log: LogPage

beforeAll(async () => {
  identity = await generateIdentity()
  recipients = [await identityToRecipient(identity)]
  records = inOrder(
    Array.from({ length: COUNT }, (_, at) => ({
      ...{ kind: 'service', id: `id-${at}`, revision: at + 1, createdAt: 1, updatedAt: 1 },
      data: canonicalJson({
        name: `service-${at}`,
        note: String(Math.random()).repeat(30),
        tags: ['a', 'b'],
      }),
    })),
  )
  const start = { revision: 0, digest: lineage.lineage }
  const entries = sampleEntries(start, COUNT).map((entry, at) => {
    const { kind, id, data } = records[at] as StoredRecord
    return { ...entry, writes: [{ op: 'put' as const, kind, id, data }] }
  })
  log = { ...lineage, after: { lineage: lineage.lineage, ...start }, entries }
})

/** Milliseconds of this thread's work. */
function worked(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** The longest turn of the event loop, without what the machine does for others meanwhile. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let [longest, last] = [0, worked()]
  const look = () => {
    longest = Math.max(longest, worked() - last)
    last = worked()
  }
  const timer = setInterval(look, 1)
  await work()
  clearInterval(timer)
  look()
  return longest
}

/** Of two runs the shorter one: in the first, functions are still being compiled. */
async function longestTurnOfTwo(work: () => Promise<unknown>): Promise<number> {
  return Math.min(await longestTurn(work), await longestTurn(work))
}

describe.each(['plain', 'encrypted'])('%s files of twenty megabytes', (kind) => {
  test('are written and read in short turns', async () => {
    const options = { recipients: kind === 'plain' ? [] : recipients }
    const point = { ...pointAfter(lineage, []), revision: COUNT, digest: 'a'.repeat(64) }
    const recordBytes = records.reduce((sum, record) => sum + recordSize(record), 0)
    let [base, logs]: [NewFile[], NewFile[]] = [[], []]

    const turns = {
      writeBase: await longestTurnOfTwo(async () => {
        base = await collected(
          writeBase(point, inPages(records, 500), { ...options, recordBytes, at: () => 1 }),
        )
      }),
      readBase: await longestTurnOfTwo(async () => {
        for (const file of base) await collected(readBasePart(file, [identity]))
      }),
      writeLog: await longestTurnOfTwo(async () => {
        logs = []
        for (const page of splitLog(log)) logs.push(await writeLog(page, options))
      }),
      readLog: await longestTurnOfTwo(async () => {
        for (const file of logs) await readLog(file, [identity])
      }),
    }
    for (const [what, ms] of Object.entries(turns)) expect(ms, what).toBeLessThan(LIMIT_MS * dearness())
  }, 60_000)
})
