const tickMs = 5

/**
 * A clock that stands still while the machine has no time for this process. Other work on a busy machine stops a process for
 * longer than what a test wants to know about the product; work of this process itself counts in full.
 */
export class GrantedTime implements Disposable {
  readonly #timer: NodeJS.Timeout
  #wall = performance.now()
  #cpuMs = usedMs()
  #granted = 0

  constructor() {
    this.#timer = setInterval(() => this.now, tickMs)
  }

  /** Milliseconds since the clock was made. */
  get now(): number {
    const [wall, cpuMs] = [performance.now(), usedMs()]
    const passed = wall - this.#wall
    const worked = cpuMs - this.#cpuMs
    // A tick that comes late was late for the machine's sake, except for as long as this process was at work.
    this.#granted += Math.min(passed, Math.max(worked, 2 * tickMs))
    this.#wall = wall
    this.#cpuMs = cpuMs
    return this.#granted
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

function usedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
