/** A bar on the last line of a terminal. The line is gone after `stop`. */
export interface ProgressBar {
  /**
   * @param part how much is done, from 0 to 1
   * @param text what follows the bar
   */
  update(part: number, text: string): void
  /** Writes a line above the bar. */
  note(line: string): void
  /** May be called more than once. Later calls of `update` show nothing. */
  stop(): void
}

const barWidth = 30
/** More often, nobody sees a difference. */
const intervalMs = 100
const eraseLine = '\r\u001b[K'

/** @param stream a terminal */
export function startProgressBar(stream: NodeJS.WritableStream & { readonly columns?: number }): ProgressBar {
  let shown = ''
  let drawnAt = Number.NEGATIVE_INFINITY
  let stopped = false
  const draw = () => {
    drawnAt = performance.now()
    stream.write(`${eraseLine}${shown}`)
  }
  return {
    update(part, text) {
      const filled = Math.round(Math.min(1, Math.max(0, part)) * barWidth)
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
      // A line that is too long would wrap, and only its last part would be erased.
      shown = `${bar} ${text}`.slice(0, (stream.columns ?? 80) - 1)
      if (!stopped && performance.now() - drawnAt >= intervalMs) draw()
    },
    note(line) {
      stream.write(stopped ? `${line}\n` : `${eraseLine}${line}\n`)
      if (!stopped) draw()
    },
    stop() {
      if (!stopped) stream.write(eraseLine)
      stopped = true
    },
  }
}
