import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The only keys that the server takes. */
const keys = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' }

/** A server of S3 over a folder, with one bucket, in a process of its own on the loopback interface. */
export class S3Server {
  readonly bucket: string
  readonly folder: string
  readonly port: number
  readonly #process: ChildProcess

  private constructor(parts: { bucket: string; folder: string; port: number; child: ChildProcess }) {
    this.bucket = parts.bucket
    this.folder = parts.folder
    this.port = parts.port
    this.#process = parts.child
  }

  /** @param port @default any free one */
  static async start({ bucket = 'backups', port = 0 } = {}): Promise<S3Server> {
    const folder = await mkdtemp(join(tmpdir(), 's3-'))
    const child = fork(fileURLToPath(import.meta.url), [folder, bucket, String(port)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // It encrypts the tokens of its lists with DES, which OpenSSL 3 has only with this flag.
      execArgv: ['--openssl-legacy-provider', '--no-warnings'],
    })
    let complaint = ''
    child.stderr?.on('data', (chunk) => {
      complaint = (complaint + String(chunk)).slice(-4_000)
    })
    const [message] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the S3 server ended with ${code}: ${complaint}`)
      }),
    ])
    return new S3Server({ bucket, folder, port: (message as { port: number }).port, child })
  }

  /** The variables with which a coordinator uses it, besides `BACKUP_URL`. */
  get env(): Record<string, string> {
    return { ...keys, AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_S3: this.endpoint }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The value of `BACKUP_URL` for a part of the bucket. */
  url(prefix = ''): string {
    return `s3://${this.bucket}${prefix === '' ? '' : `/${prefix}`}`
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exit = once(this.#process, 'exit')
      this.#process.kill('SIGKILL')
      await exit
    }
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** What the child process runs. */
async function serve([folder = '', bucket = '', port = '0']: readonly string[]): Promise<void> {
  const { default: S3rver } = (await import('@20minutes/s3rver' as string)) as {
    default: new (options: object) => { run(): Promise<{ port: number }> }
  }
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: Number(port), silent: true, directory: folder },
    configureBuckets: [{ name: bucket, configs: [] }],
  })
  const { port: bound } = await server.run()
  process.send?.({ port: bound })
  // Without its parent, it ends.
  process.on('disconnect', () => process.exit(0))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(process.argv.slice(2))
