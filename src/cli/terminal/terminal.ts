/** The environment and the streams of a command: those of the process, or those of a test. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream
  /** Results, which another program may read. */
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Everything else: progress, warnings, errors. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** The streams and the environment of the process. */
export function processTerminal(): Terminal {
  const { env, stdin, stdout, stderr } = process
  return { env, stdin, stdout, stderr }
}
