import cliProgress from 'cli-progress'
import type { RestoreProgress } from '../../archive/restore/restore-progress.ts'
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
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {text}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
  })
  const started = performance.now()
  bar.start(1_000, 0, { text: '' })
  return {
    update(progress) {
      bar.update(Math.floor(partOf(progress) * 1_000), { text: describe(progress, started) })
    },
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
