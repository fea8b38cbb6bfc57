import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'

/** A process whose figures a test wants has ended, and was collected by its parent. */
export class ProcessGone extends Error {
  constructor(pid: number) {
    super(`process ${pid} is gone`)
  }
}

/** What a process takes of the machine, as the operating system counts it. */
export class ProcessFigures {
  readonly #pid: number

  constructor(pid: number) {
    this.#pid = pid
  }

  /**
   * Memory that it holds at this moment, in MiB.
   *
   * @throws ProcessGone
   */
  get rssMiB(): number {
    return Number(ps('rss=', this.#pid)) / 1_024
  }

  /**
   * Time that its threads have worked since it began, in milliseconds; in steps of 10.
   *
   * @throws ProcessGone
   */
  get cpuMs(): number {
    try {
      // Fields 14 and 15, counted behind the name in brackets, which may hold spaces: proc(5).
      const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return (Number(fields[11]) + Number(fields[12])) * 10
    } catch {
      return secondsOf(ps('time=', this.#pid)) * 1_000
    }
  }
}

function ps(column: string, pid: number): string {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch (thrown) {
    // Its only fault with these arguments: it knows no such process.
    if ((thrown as { readonly status?: number | null }).status === 1) throw new ProcessGone(pid)
    throw thrown
  }
}

/** `[days-]hours:minutes:seconds`, with parts left out from the left. */
function secondsOf(time: string): number {
  return time.split(/[-:]/).reduce((sum, part, index, parts) => {
    const unit = [1, 60, 3_600, 86_400][parts.length - 1 - index] ?? 0
    return sum + Number(part) * unit
  }, 0)
}

const pauseMs = 10
/** How late an answer may be for the machine's sake alone. */
const toleranceMs = 20

/** Asks `/health/live` again and again over one connection, and remembers the longest wait for an answer. */
export class HealthWatch implements AsyncDisposable {
  readonly #url: string
  readonly #figures: ProcessFigures
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #watching: Promise<void>
  #ended = false
  #lastWorkedMs = 0
  /**
   * The longest wait, in milliseconds. Counted is no more than the coordinator worked meanwhile, and 20 ms: what the machine did
   * for others is not the coordinator's fault.
   */
  longestMs = 0
  /** How many answers other than 200 there were, and questions without an answer. */
  failures = 0
  answers = 0

  constructor(url: string, pid: number) {
    this.#url = `${url}/health/live`
    this.#figures = new ProcessFigures(pid)
    this.#watching = this.#watch()
    // A fault waits for the end of the watch. Unhandled until then, it would end the whole run, without the name of the test.
    this.#watching.catch(() => undefined)
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      const [started, worked] = [performance.now(), this.#workedMs()]
      const ok = await this.#ask()
      const waitedMs = performance.now() - started
      if (ok) this.answers += 1
      else this.failures += 1
      this.longestMs = Math.max(this.longestMs, Math.min(waitedMs, this.#workedMs() - worked + toleranceMs))
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  /** A process that is gone does no more work. Its questions without an answer already count as failures. */
  #workedMs(): number {
    try {
      this.#lastWorkedMs = this.#figures.cpuMs
    } catch (thrown) {
      if (!(thrown instanceof ProcessGone)) throw thrown
    }
    return this.#lastWorkedMs
  }

  #ask(): Promise<boolean> {
    return new Promise((resolve) => {
      get(this.#url, { agent: this.#agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode === 200))
        response.on('error', () => resolve(false))
      }).on('error', () => resolve(false))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await this.#watching
    this.#agent.destroy()
  }
}
