import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** @default 120_000 (milliseconds) */
  readonly timeoutMs?: number
}

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to standard output
 * @throws Error with everything it wrote, where it ends with another code than 0 or not in time
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { cwd = process.cwd(), env = consumerEnv(), timeoutMs = 120_000 } = options
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  let [out, all] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
    all += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    all += chunk
  })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject).on('close', resolve)
  const code = await promise.finally(() => clearTimeout(timer))
  if (code === 0) return out
  throw new Error(
    `${program} ${args.join(' ')} ended with ${code ?? 'a kill after its time was over'}:\n${all}`,
  )
}

/** The environment of somebody else: nothing that npm set for this script, and no settings of a coordinator. */
export function consumerEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own =
    /^(npm_(?!config_(?:cache|registry|userconfig|globalconfig)$)|INIT_CWD|DATABASE_|SUPABASE_|COORDINATOR_|AUTH$|AUTH_|TLS_|PORT$|HOST$)/i
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name))
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...more }
}
