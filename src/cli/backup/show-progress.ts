import type { RestoreProgress } from '../../archive/restore/restore-progress.ts'
import { startProgressBar } from '../terminal/progress-bar.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { sizeText } from './sizes.ts'

/** Shows how far a restore is: a bar on a terminal, otherwise a line from time to time. */
export interface ShownProgress {
  update(progress: RestoreProgress): void
  stop(): void
}

export function showProgress({ stderr }: Terminal): ShownProgress {
  return stderr.isTTY === true ? barProgress(stderr) : lineProgress(stderr)
}

function barProgress(stream: NodeJS.WritableStream): ShownProgress {
  const bar = startProgressBar(stream)
  const started = performance.now()
  return {
    update: (progress) => bar.update(partOf(progress), describe(progress, started)),
    stop: () => bar.stop(),
  }
}

const lineIntervalMs = 5_000

function lineProgress(stream: NodeJS.WritableStream): ShownProgress {
  const started = performance.now()
  let last = started
  return {
    update(progress) {
      if (performance.now() - last < lineIntervalMs) return
      last = performance.now()
      stream.write(`${describe(progress, started)}\n`)
    },
    stop: () => undefined,
  }
}

const phases = { seed: 'records', replay: 'changes', finish: 'comparison' } as const

/** Such as `changes: revision 512 of 2048, 3.4 MB of 12.0 MB, 8 s left`. */
function describe(progress: RestoreProgress, started: number): string {
  const { phase, records, comparedRecords, revision, lastRevision, bytes, ofBytes } = progress
  if (phase === 'finish') return `${phases.finish}: ${comparedRecords} records of the database`
  const done =
    phase === 'seed' ? `${records} of revision ${revision}` : `revision ${revision} of ${lastRevision}`
  return `${phases[phase]}: ${done}, ${sizeText(bytes)} of ${sizeText(ofBytes)}${timeLeft(progress, started)}`
}

/** Known once there is enough to judge from. */
function timeLeft(progress: RestoreProgress, started: number): string {
  const part = partOf(progress)
  const elapsed = performance.now() - started
  if (part < 0.02 || elapsed < 1_000 || part === 1) return ''
  return `, ${Math.ceil((elapsed * (1 - part)) / part / 1_000)} s left`
}

/** From 0 to 1. Files are read ahead, so that the bytes alone would promise too much. */
function partOf({ bytes, ofBytes }: RestoreProgress): number {
  return ofBytes === 0 ? 1 : Math.min(1, bytes / ofBytes)
}
