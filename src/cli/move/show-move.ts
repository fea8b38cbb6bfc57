import type { MoveProgress } from '../../archive/move/move-context.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Shows how far a move is. */
export interface ShownMove {
  update(progress: MoveProgress): void
  stop(): void
}

/** How often a line is written, in milliseconds: on a terminal the same one again, elsewhere a new one. */
const intervalsMs = { terminal: 100, file: 5_000 }

export function showMove({ stderr }: Terminal): ShownMove {
  const isTerminal = stderr.isTTY === true
  const started = performance.now()
  let [shownAt, shown, phase] = [Number.NEGATIVE_INFINITY, '', '']
  return {
    update(progress) {
      const now = performance.now()
      const isNew = progress.phase !== phase
      if (!isNew && now - shownAt < (isTerminal ? intervalsMs.terminal : intervalsMs.file)) return
      const text = describe(progress, now - started)
      // A copy that follows says it once, and again only on a terminal.
      if (text === shown || (!isNew && !isTerminal && progress.phase === 'follow')) return
      ;[shownAt, shown, phase] = [now, text, progress.phase]
      stderr.write(isTerminal ? `\r\x1b[2K${text}` : `${text}\n`)
    },
    stop() {
      if (isTerminal && shown !== '') stderr.write('\r\x1b[2K')
    },
  }
}

function describe({ phase, records, revision, headRevision }: MoveProgress, elapsedMs: number): string {
  const seconds = `${Math.round(elapsedMs / 1_000)} s`
  switch (phase) {
    case 'seed':
      return `records: ${records} of revision ${revision} are stored, ${seconds}`
    case 'replay':
      return `changes: at revision ${revision}, the old database is at ${headRevision} or later, ${seconds}`
    case 'follow':
      return `following: at revision ${revision}`
    case 'compare':
      return `comparing: ${records} records of revision ${revision}, ${seconds}`
    case 'cutover':
      return `cutover: at revision ${revision}, ${seconds}`
  }
}
