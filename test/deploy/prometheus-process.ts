import { freePort } from '../support/free-port.ts'
import { startProgram } from '../support/start-program.ts'

/** An alarm that waits for the end of its `for`, or fires. */
export interface PrometheusAlert {
  readonly state: 'pending' | 'firing'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface PrometheusProcess extends AsyncDisposable {
  /** The health of each target: `up`, `down`, `unknown`. */
  targets(): Promise<readonly string[]>
  alerts(): Promise<readonly PrometheusAlert[]>
  /** The newest value of each series of a query. */
  query(expr: string): Promise<readonly Sample[]>
}

/**
 * Starts Prometheus, and waits until it answers. It ends with the scope.
 *
 * @param args the arguments, without an address to listen on
 * @param cwd for relative paths in them
 */
export async function startPrometheus(args: readonly string[], cwd: string): Promise<PrometheusProcess> {
  const address = `127.0.0.1:${await freePort()}`
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://${address}/api/v1/${path}`)
    const answer = (await response.json()) as { data: T; error?: string }
    if (!response.ok) throw new Error(`Prometheus answers ${path} with ${answer.error}`)
    return answer.data
  }
  const program = await startProgram(['prometheus', ...args, `--web.listen-address=${address}`], {
    cwd,
    isReady: async () => (await fetch(`http://${address}/-/ready`).catch(() => undefined))?.ok === true,
  })
  return {
    async targets() {
      const { activeTargets } = await ask<{ activeTargets: { health: string }[] }>('targets')
      return activeTargets.map(({ health }) => health)
    },
    async query(expr) {
      type Answer = { result: { metric: Record<string, string>; value: [number, string] }[] }
      const { result } = await ask<Answer>(`query?query=${encodeURIComponent(expr)}`)
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    alerts: async () => (await ask<{ alerts: PrometheusAlert[] }>('alerts')).alerts,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}
