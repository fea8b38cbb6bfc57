import { startProgressBar } from '../terminal/progress-bar.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Shows the progress of an import: a bar on a terminal, otherwise a line from time to time. */
export interface Progress {
  /**
   * @param done registrations that have an answer
   * @param fraction the part of the input that is done, from 0 to 1, if it is known
   */
  update(done: number, fraction: number | undefined): void
  /** Writes a line without disturbing the bar. */
  note(line: string): void
  stop(): void
}

export function createProgress({ stderr }: Terminal): Progress {
  return stderr.isTTY === true ? barProgress(stderr) : lineProgress(stderr)
}

function barProgress(stream: NodeJS.WritableStream): Progress {
  const bar = startProgressBar(stream)
  const started = performance.now()
  return {
    update(done, fraction) {
      const percent = fraction === undefined ? '' : `${Math.floor(fraction * 100)} %`.padStart(5)
      const rate = Math.round(done / Math.max(0.001, (performance.now() - started) / 1_000))
      bar.update(fraction ?? 0, `${percent} | ${done} services | ${rate}/s`)
    },
    note: (line) => bar.note(line),
    stop: () => bar.stop(),
  }
}

const lineIntervalMs = 5_000

function lineProgress(stream: NodeJS.WritableStream): Progress {
  let last = performance.now()
  return {
    update(done, fraction) {
      if (performance.now() - last < lineIntervalMs) return
      last = performance.now()
      stream.write(`${done} services${fraction === undefined ? '' : `, ${Math.floor(fraction * 100)} %`}\n`)
    },
    note: (line) => void stream.write(`${line}\n`),
    stop: () => undefined,
  }
}
