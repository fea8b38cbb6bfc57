import { createHash, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pruneArchive } from '../../../src/archive/archiver/prune-archive.ts'
import { chainOf, readTrail } from '../../../src/archive/inventory/trail.ts'
import { ListedDestination } from './listed-destination.ts'

const DAY = 86_400_000
const start = Date.UTC(2026, 0, 1)
const lineage = randomUUID()
const digest = (revision: number) => createHash('sha256').update(String(revision)).digest('hex')

function base(revision: number, { part = 1, parts = 1, of = lineage } = {}) {
  const name = { kind: 'base', encrypted: false, lineage: of } as const
  return { ...name, revision, digest: digest(revision), part, parts }
}

function log(first: number, last: number, of = lineage) {
  return { kind: 'log', encrypted: false, lineage: of, first, last, digest: digest(last) } as const
}

/** Every revision from 0 to `newest` that a restore can reach. */
async function restorable(
  destination: ListedDestination,
  newest: number,
  of = lineage,
): Promise<ReadonlySet<number>> {
  const { bases, logs } = await readTrail(destination, of)
  const found = new Set<number>()
  for (const each of bases) {
    if (!each.isComplete) continue
    const end = chainOf(logs, each).at(-1)?.last ?? each.revision
    for (let revision = each.revision; revision <= Math.min(end, newest); revision += 1) found.add(revision)
  }
  return found
}

/** What happens on one day. */
const day = fc.record({
  /** Revisions between two log files. */
  logs: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
  base: fc.constantFrom('none', 'none', 'whole', 'unfinished'),
  /** Whether what is logged is lost, as after a compaction. */
  gap: fc.boolean(),
  /** How many of the newest logs are rewritten into one. */
  rewritten: fc.integer({ min: 0, max: 5 }),
})

describe('pruning', () => {
  it('keeps every moment of the days to keep that could be restored before, and touches no other lineage', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(day, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        async (days, keepDays) => {
          const destination = new ListedDestination()
          const stranger = destination.add(base(3, { of: randomUUID() }), start)
          /** The time of each revision. */
          const times = [start]
          const ends = [0]
          destination.add(base(0), start)
          for (const [at, { logs, base: kind, gap, rewritten }] of days.entries()) {
            const now = start + at * DAY
            for (const count of logs) {
              const first = times.length
              for (let each = 0; each < count; each += 1) times.push(now + each)
              if (!gap) destination.add(log(first, times.length - 1), now + 10)
              ends.push(times.length - 1)
            }
            const newest = times.length - 1
            if (kind === 'whole')
              for (const part of [1, 2]) destination.add(base(newest, { part, parts: 2 }), now + 20 + part)
            if (kind === 'unfinished') destination.add(base(newest, { part: 1, parts: 3 }), now + 20)
            const from = ends.at(-1 - rewritten)
            if (rewritten > 0 && !gap && from !== undefined && from < newest)
              destination.add(log(from + 1, newest), now + 30)
          }
          const now = start + (days.length - 1) * DAY + 1_000
          const before = await restorable(destination, times.length - 1)
          const planned = await pruneArchive(
            destination.copy(),
            { lineage, ancestors: [] },
            { keepDays, now },
          )
          const dry = await pruneArchive(
            destination,
            { lineage, ancestors: [] },
            { keepDays, now, dryRun: true },
          )
          expect(dry).toEqual(planned)
          const newestFile = Math.max(...[...destination.files.values()].map(({ writtenAt }) => writtenAt))
          const cutoff = Math.min(now, newestFile) - keepDays * DAY
          const names = [...destination.files.keys()]
          const report = await pruneArchive(destination, { lineage, ancestors: [] }, { keepDays, now })
          expect(report).toEqual(dry)
          expect(names).toHaveLength(report.removed.length + destination.files.size)
          const after = await restorable(destination, times.length - 1)
          for (const revision of before) {
            const until = times[revision + 1] ?? Number.POSITIVE_INFINITY
            // The state of a revision lasts until the next one.
            if (until > cutoff) expect([revision, after.has(revision)]).toEqual([revision, true])
          }
          expect(destination.files.has(stranger)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('removes older bases and their logs, and what stays does not grow with the age of the archive', async () => {
    const destination = new ListedDestination()
    for (let at = 0; at < 100; at += 1) {
      destination.add(base(at * 10), start + at * DAY)
      for (let each = 1; each <= 10; each += 1)
        destination.add(log(at * 10 + each, at * 10 + each), start + at * DAY + each)
    }
    const now = start + 99 * DAY + 100
    const report = await pruneArchive(destination, { lineage, ancestors: [] }, { keepDays: 10, now })
    const { bases, logs } = await readTrail(destination, lineage)
    expect(bases).toHaveLength(11)
    expect(logs).toHaveLength(110)
    expect(report).toMatchObject({ keptFiles: 121, keptBytes: 12_100, removedBytes: 97_900 })
  })

  it('keeps the newest base and what follows it, however old they are', async () => {
    const destination = new ListedDestination()
    destination.add(base(0), start)
    destination.add(base(5), start + 1)
    destination.add(log(6, 9), start + 2)
    const later = start + 400 * DAY
    await pruneArchive(destination, { lineage, ancestors: [] }, { keepDays: 1, now: later })
    expect(await restorable(destination, 9)).toEqual(new Set([0, 5, 6, 7, 8, 9]))
    destination.add(log(10, 10), later)
    destination.add(log(11, 11), later + DAY)
    await pruneArchive(destination, { lineage, ancestors: [] }, { keepDays: 1, now: later + DAY })
    expect(await restorable(destination, 11)).toEqual(new Set([5, 6, 7, 8, 9, 10, 11]))
  })

  it('does not believe a clock that is ahead', async () => {
    const destination = new ListedDestination()
    for (let at = 0; at < 5; at += 1) destination.add(base(at), start + at * DAY)
    const report = await pruneArchive(
      destination,
      { lineage, ancestors: [] },
      { keepDays: 35, now: start + 900 * DAY },
    )
    expect(report.removed).toEqual([])
  })

  it('does not believe a clock that leaps ahead until its times have lasted for a day', async () => {
    const destination = new ListedDestination()
    for (let at = 0; at < 50; at += 1) destination.add(base(at), start + at * DAY)
    const ahead = start + 400 * DAY
    destination.add(base(50), ahead)
    destination.add(log(51, 51), ahead + DAY - 1)
    const prune = (now: number) =>
      pruneArchive(destination.copy(), { lineage, ancestors: [] }, { keepDays: 35, now })
    // Exactly what was too old before the leap.
    expect((await prune(ahead + DAY)).removed).toHaveLength(14)
    // The clock is right again.
    destination.add(log(52, 52), start + 50 * DAY)
    expect((await prune(start + 50 * DAY)).removed).toHaveLength(15)
    destination.add(log(53, 53), ahead + DAY)
    expect((await prune(ahead + DAY)).removed).toHaveLength(49)
  })

  it('removes an earlier lineage when the later one has had a base for long enough, and nobody uses the earlier one', async () => {
    const destination = new ListedDestination()
    const earlier = randomUUID()
    destination.add(base(0, { of: earlier }), start)
    destination.add(log(1, 9, earlier), start + DAY)
    destination.add(base(9), start + 2 * DAY)
    destination.add(log(10, 10), start + 11 * DAY)
    const history = { lineage, ancestors: [earlier] }
    const kept = await pruneArchive(destination.copy(), history, { keepDays: 10, now: start + 11 * DAY })
    expect(kept.removed).toEqual([])
    destination.add(log(11, 11), start + 12 * DAY)
    const inUse = destination.copy()
    inUse.add(log(10, 12, earlier), start + 12 * DAY)
    const used = await pruneArchive(inUse, history, { keepDays: 10, now: start + 12 * DAY })
    expect(used.removed).toEqual([])
    const gone = await pruneArchive(destination, history, { keepDays: 10, now: start + 12 * DAY })
    expect(gone.removed.map(({ name }) => name.slice(0, 36))).toEqual([earlier, earlier])
  })

  it('removes a base that nobody has finished for a day, and files that a larger one has held for a day', async () => {
    const destination = new ListedDestination()
    destination.add(base(0), start)
    const half = destination.add(base(4, { part: 1, parts: 2 }), start)
    const small = [log(1, 2), log(3, 4)].map((name) => destination.add(name, start))
    destination.add(log(1, 4), start + 10)
    destination.add(log(5, 5), start + DAY)
    const early = await pruneArchive(
      destination.copy(),
      { lineage, ancestors: [] },
      { keepDays: 35, now: start + DAY },
    )
    expect(early.removed.map(({ name }) => name)).toEqual([half])
    destination.add(log(6, 6), start + DAY + 10)
    const late = await pruneArchive(
      destination,
      { lineage, ancestors: [] },
      { keepDays: 35, now: start + 2 * DAY },
    )
    expect(late.removed.map(({ name }) => name)).toEqual([half, ...small])
  })

  it('keeps a base that is being written, and does not take it for a whole one', async () => {
    const destination = new ListedDestination()
    const earlier = randomUUID()
    destination.add(base(0, { of: earlier }), start)
    const half = destination.add(base(9, { part: 1, parts: 2 }), start + DAY)
    destination.add(log(10, 10), start + 2 * DAY - 1)
    const history = { lineage, ancestors: [earlier] }
    const early = { keepDays: 1, now: start + 2 * DAY - 1 }
    expect((await pruneArchive(destination.copy(), history, early)).removed).toEqual([])
    // Only the earlier lineage can restore the moments of the days to keep.
    destination.add(log(11, 11), start + 3 * DAY)
    const late = await pruneArchive(destination, history, { keepDays: 1, now: start + 3 * DAY })
    expect(late.removed.map(({ name }) => name)).toEqual([half])
  })

  it('keeps the newest tokens', async () => {
    const destination = new ListedDestination()
    for (let at = 0; at < 6; at += 1)
      destination.add(
        { kind: 'access', encrypted: false, lineage, at: start + at, digest: digest(at) },
        start + at * DAY,
      )
    await pruneArchive(destination, { lineage, ancestors: [] }, { keepDays: 1, now: start + 5 * DAY })
    const { access } = await readTrail(destination, lineage)
    expect(access.map(({ at }) => at - start)).toEqual([3, 4, 5])
  })
})
