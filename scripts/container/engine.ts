import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { run } from '../package/run.ts'

/** What podman needs to know to run without systemd, and inside of a container: `crun` and the limits it sets by itself need more rights. */
const settings = (folder: string) => `[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]

[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${folder}/tmp"

[network]
network_backend = "cni"
network_config_dir = "${folder}/networks"
`

const storage = (folder: string) => `[storage]
driver = "overlay"
graphroot = "${folder}/images"
runroot = "${folder}/run"
`

/** Commands for `docker` go to podman. Docker keeps health checks in the image, and podman only in its format. */
const docker = `#!/bin/sh
if [ "$1" = compose ]; then shift; exec podman-compose "$@"; fi
exec podman "$@"
`

/** Podman with images, containers and networks of its own: it uses and changes nothing of the machine's. */
export class ContainerEngine {
  readonly folder: string
  /** The environment in which `docker` and `podman` mean this engine. */
  readonly env: NodeJS.ProcessEnv

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'coordinator-container-'))
    for (const each of ['bin', 'tmp', 'networks']) mkdirSync(join(folder, each))
    writeFileSync(join(folder, 'containers.conf'), settings(folder))
    writeFileSync(join(folder, 'storage.conf'), storage(folder))
    writeFileSync(join(folder, 'bin/docker'), docker)
    chmodSync(join(folder, 'bin/docker'), 0o755)
    this.folder = folder
    this.env = {
      ...process.env,
      PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter),
      CONTAINERS_CONF: join(folder, 'containers.conf'),
      CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
      BUILDAH_FORMAT: 'docker',
      BUILDAH_ISOLATION: 'chroot',
      // Layers of the build stage would be packed, and nobody needs them.
      BUILDAH_LAYERS: 'false',
    }
  }

  /**
   * Runs podman to its end.
   *
   * @param timeoutMs after how many milliseconds it is killed
   * @returns what it wrote to standard output
   * @throws Error with everything it wrote, where it ends with another code than 0 or not in time
   */
  async podman(args: readonly string[], timeoutMs = 60_000): Promise<string> {
    return (await run('podman', args, { env: this.env, timeoutMs })).trim()
  }

  /** Ends every container, and removes everything that it has made. */
  async dispose(): Promise<void> {
    await this.podman(['rm', '--all', '--force', '--time', '1'])
    await this.podman(['network', 'prune', '--force'])
    await this.podman(['image', 'rm', '--all', '--force'])
    // What podman unmounts may be busy for a moment.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}
