import { PassThrough } from 'node:stream'
import { expect, it, vi } from 'vitest'
import type { RestoreProgress } from '../../src/archive/restore/restore-progress.ts'
import { showProgress } from '../../src/cli/backup/show-progress.ts'
import { durationText, sizeText } from '../../src/cli/backup/sizes.ts'

const progress: RestoreProgress = {
  ...{ phase: 'replay', revision: 1_500, baseRevision: 1_000, lastRevision: 2_000 },
  ...{ records: 900, comparedRecords: 0, bytes: 5_000_000, ofBytes: 20_000_000 },
}

/** What is shown after some time, in milliseconds. */
function shownAfter(ms: number, isTTY: boolean, told: RestoreProgress): string {
  const stderr = Object.assign(new PassThrough(), { isTTY })
  const chunks: string[] = []
  stderr.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  const clock = vi.spyOn(performance, 'now')
  const start = performance.now()
  clock.mockReturnValue(start)
  const shown = showProgress({ stderr, stdout: stderr, stdin: stderr, env: {} })
  clock.mockReturnValue(start + ms)
  shown.update(told)
  shown.stop()
  clock.mockRestore()
  return chunks.join('')
}

it('tells phase, revisions, bytes and the time that is left, a line from time to time', () => {
  expect(shownAfter(10_000, false, progress)).toBe(
    'changes: revision 1500 of 2000, 5.0 MB of 20.0 MB, 30 s left\n',
  )
  expect(shownAfter(10_000, false, { ...progress, phase: 'seed' })).toMatch(
    /^records: 900 of revision 1500, /,
  )
  expect(shownAfter(10_000, false, { ...progress, phase: 'finish', comparedRecords: 77 })).toBe(
    'comparison: 77 records of the database\n',
  )
})

it('writes nothing more than a line in five seconds where nobody looks at it', () => {
  expect(shownAfter(4_000, false, progress)).toBe('')
})

it('shows a bar on a terminal, and clears it at the end', () => {
  const text = shownAfter(10_000, true, progress)
  expect(text).toContain('\u001b')
  expect(text.endsWith('\n')).toBe(false)
})

it('writes sizes and times for people', () => {
  expect([0, 999, 1_000, 12_345_678, 5e12].map(sizeText)).toEqual([
    '0 B',
    '999 B',
    '1.0 KB',
    '12.3 MB',
    '5.0 TB',
  ])
  expect([12, 2_100, 180_000].map(durationText)).toEqual(['12 ms', '2.1 s', '3 min'])
})
