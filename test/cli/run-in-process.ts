import { PassThrough, Readable } from 'node:stream'
import { runProgram } from '../../src/cli/program.ts'
import type { Serve } from '../../src/cli/serve.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunInProcessOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
  readonly serve?: Serve
}

/** Runs a command in this process, with its streams in memory: a hundred times faster than a process of its own. */
export async function runInProcess(
  args: readonly string[],
  { env = {}, input = '', serve = async () => 0 }: RunInProcessOptions = {},
): Promise<Ran> {
  const [stdout, stderr] = [gathered(), gathered()]
  const terminal = { env, stdin: Readable.from([input]), stdout: stdout.stream, stderr: stderr.stream }
  const code = await runProgram(args, { terminal, serve })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

function gathered() {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
