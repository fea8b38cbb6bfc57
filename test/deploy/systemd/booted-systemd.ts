import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { itUnless, itWith } from '../../support/it-with.ts'

/** What a booted system needs of the machine. The Debian packages are systemd-container and util-linux. */
const programs = ['systemd-nspawn', 'nsenter', 'setpriv', 'unshare'] as const

/** `it` for tests that boot systemd: they need root, which some containers do not really have, and those programs. */
export const itBooted: ReturnType<typeof itWith> = mayBoot()
  ? itWith(...programs)
  : itUnless('only root can boot systemd in a container')

function mayBoot(): boolean {
  if (process.getuid?.() !== 0) return false
  return spawnSync('unshare', ['--mount', '--pid', '--net', '--fork', 'true']).status === 0
}

/** Where the checkout is in the container. It is outside node_modules, where Node.js refuses to read TypeScript. */
const checkout = '/srv/coordinator'
const installed = '/opt/coordinator/node_modules'

/** Does what `npm install` does in the container, which has no network: the installed package is this checkout. */
export const installCommand = `mkdir -p ${installed}/@coordinator ${installed}/.bin
ln -sfn ${checkout} ${installed}/@coordinator/server
ln -sfn ../@coordinator/server/bin/coordinator.js ${installed}/.bin/coordinator`

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * A system of its own that systemd has booted, in a container without network, from the programs of this machine (`/usr`)
 * and an empty `/etc` and `/var`. No service of the machine starts in it.
 */
export class BootedSystemd implements AsyncDisposable {
  readonly #folder: string
  readonly #container: ChildProcess
  #output = ''
  #leader = 0

  private constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'coordinator-booted-'))
    const root = join(this.#folder, 'root')
    const usr = join(this.#folder, 'usr')
    writeRoot(root)
    mkdirSync(join(usr, 'local/bin'), { recursive: true })
    cpSync(process.execPath, join(usr, 'local/bin/node'))
    const nspawn = [
      ...['systemd-nspawn', '--quiet', '--boot', '--console=pipe', '--register=no', '--keep-unit'],
      ...['--private-network', `--machine=coordinator-${process.pid}`, `--directory=${root}`],
      ...[`--overlay=/usr:${usr}:/usr`, `--bind-ro=${resolve('.')}:${checkout}`],
    ]
    // The processes of the container outlive a `systemd-nspawn` that is killed, but not process 1 of their namespace. That one dies
    // with `unshare`, and `unshare` with this process.
    const namespace = ['unshare', '--fork', '--pid', '--mount-proc', '--kill-child=KILL']
    this.#container = spawn('setpriv', ['--pdeathsig', 'KILL', ...namespace, ...nspawn], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#container.stdout, this.#container.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk
      })
  }

  /** Boots, and waits until every unit of the start has started. */
  static async boot(): Promise<BootedSystemd> {
    const booted = new BootedSystemd()
    try {
      await booted.#becomes('running')
      return booted
    } catch (thrown) {
      await booted[Symbol.asyncDispose]()
      throw thrown
    }
  }

  /** Runs a script of bash in the container, as root. */
  run(script: string, input = ''): Promise<Finished> {
    const namespaces = [
      '--target',
      String(this.#leader),
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--cgroup',
    ]
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', HOME: '/root', NO_COLOR: '1' }
    return new Promise((done) => {
      const child = execFile(
        'nsenter',
        [...namespaces, 'bash', '-euo', 'pipefail', '-c', script],
        { env, timeout: 120_000, killSignal: 'SIGKILL' },
        (fault, stdout, stderr) =>
          done({ code: fault === null ? 0 : Number(fault.code ?? -1), stdout, stderr }),
      )
      child.stdin?.on('error', () => undefined).end(input)
    })
  }

  /** The output of a script that must succeed, without white space around it. */
  async output(script: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, input)
    if (code !== 0) throw new Error(`exit code ${code} of:\n${script}\n${stdout}${stderr}`)
    return stdout.trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((done) => this.#container.once('close', done))
    if (this.#container.exitCode === null && this.#container.signalCode === null) {
      this.#container.kill('SIGKILL')
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #becomes(state: string, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs
    let last = 'nothing yet'
    while (performance.now() < deadline && this.#container.exitCode === null) {
      this.#leader ||= leaderOf(this.#container.pid ?? 0)
      if (this.#leader !== 0) {
        const { stdout, stderr } = await this.run('systemctl is-system-running || true')
        last = stdout.trim() || stderr
        if (last === state) return
      }
      await sleep(100)
    }
    throw new Error(`systemd has not booted: ${last}\n${this.#output}`)
  }
}

/** The pid of the process that is 1 in the container; 0 if there is none yet. */
function leaderOf(pid: number): number {
  for (const child of childrenOf(pid)) {
    if (nameOf(child) === 'systemd') return child
    const leader = leaderOf(child)
    if (leader !== 0) return leader
  }
  return 0
}

function childrenOf(pid: number): number[] {
  return readProc(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

function nameOf(pid: number): string {
  return readProc(`/proc/${pid}/comm`).trim()
}

/** A process may end while it is looked at. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The folder of the root file system: without programs and without data. */
function writeRoot(root: string): void {
  for (const folder of [
    'usr',
    'etc/systemd/system',
    'var',
    'run',
    'tmp',
    'proc',
    'sys',
    'dev',
    'root',
    checkout,
  ])
    mkdirSync(join(root, folder), { recursive: true })
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(root, link))
  const files = {
    // Without an id, systemd takes this for the first boot, and enables every service in /usr.
    'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    'etc/os-release': 'ID=test\nNAME=test\n',
    'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n',
    'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
    'etc/hosts': '127.0.0.1 localhost\n',
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
}
