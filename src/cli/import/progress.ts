import cliProgress from 'cli-progress'
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
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {percent} | {done} services | {rate}/s',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    formatValue: (value, _options, type) =>
      type === 'percentage' ? `${String(value).padStart(3)} %` : String(value),
  })
  const started = performance.now()
  let [lastDone, lastFraction] = [0, 0]
  let stopped = false
  const payload = () => ({
    done: lastDone,
    percent: lastFraction === 0 ? '' : `${Math.floor(lastFraction * 100)} %`,
    rate: Math.round(lastDone / Math.max(0.001, (performance.now() - started) / 1_000)),
  })
  bar.start(1_000, 0, payload())
  return {
    update(done, fraction) {
      ;[lastDone, lastFraction] = [done, fraction ?? 0]
      bar.update(Math.floor(lastFraction * 1_000), payload())
    },
    note(line) {
      if (!stopped) bar.stop()
      stream.write(`${line}\n`)
      // A bar that is started again after the end would keep the process alive.
      if (!stopped) bar.start(1_000, Math.floor(lastFraction * 1_000), payload())
    },
    stop() {
      stopped = true
      bar.stop()
    },
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
