import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { BootedSystemd, installCommand, itBooted } from './booted-systemd.ts'

const page = readFileSync('docs/systemd.md', 'utf8')

/** The blocks that a reader runs, and those that a reader writes with `systemctl edit`. */
const commands = blocks('sh').map((block) => block.replace(/^sudo npm install .*$/m, installCommand))
const dropIns = blocks('ini')
const removal = commands.filter((block) => block.includes('sudo rm -rf'))
const setUp = commands.slice(0, 4)
const token = '--token-file /etc/coordinator/admin.token'

describe('docs/systemd.md', () => {
  it('names the package as `npm pack` does', () => {
    const named = [...page.matchAll(/coordinator-server-\S+?\.tgz/g)].map(([name]) => name)
    expect(new Set(named)).toEqual(new Set([`coordinator-server-${packageJson.version}.tgz`]))
  })
})

describe('under a booted systemd', () => {
  itBooted('every command of the page succeeds, in its order, and the last ones leave nothing', async () => {
    await using system = await BootedSystemd.boot()
    for (const command of commands) {
      await run(system, command, 'postgres://coordinator:secret@127.0.0.1:1/coordinator')
      if (command === setUp.at(-1)) expect(await state(system, 'ActiveState')).toBe('active')
    }
    expect(commands.length).toBeGreaterThan(12)
    expect(removal.length).toBe(2)
    expect(
      await system.output(
        'find / -xdev -name "*coordinator*" -not -path "/srv/*" -not -path "/proc/*" -not -path "/var/log/*"',
      ),
    ).toBe('')
  })

  itBooted(
    'the coordinator has no rights, does everything, and survives a crash; a stop ends it with 0',
    async () => {
      // What the filter forbids would end the process here. So nothing that it does needs any of it.
      await using system = await installed(`[Service]
SystemCallErrorNumber=kill
StateDirectory=coordinator-backup
Environment=BACKUP_URL=file:///var/lib/coordinator-backup BACKUP_INTERVAL_MS=500
`)
      const status = await system.output('cat /proc/$(systemctl show -P MainPID coordinator)/status')
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
      expect(status).toMatch(/^Seccomp:\s+2$/m)
      expect(status).toMatch(/^CapEff:\s+0+$/m)
      expect(status).toMatch(/^CapBnd:\s+0+$/m)
      expect(status).not.toMatch(/^Uid:\s+0/m)
      await run(system, `coordinator import ${examples} ${token}`)
      // Questions about the past are answered by a helper process.
      const now = await nodes(system, '')
      expect(await nodes(system, '?asOf=1')).toBeLessThan(now)
      expect(await system.output('stat --format %a /var/lib/private/coordinator/coordinator.db')).toBe('600')
      await system.output(until('find /var/lib/coordinator-backup/ -type f | grep --quiet log'))
      expect(await state(system, 'NRestarts')).toBe('0')

      await system.output('systemctl kill --signal KILL coordinator')
      await system.output(`${until('[ "$(systemctl show -P NRestarts coordinator)" = 1 ]')}; ${untilReady}`)
      expect(await nodes(system, '')).toBe(now)
      await system.output('systemctl stop coordinator')
      expect(await state(system, 'Result')).toBe('success')
      expect(await state(system, 'ExecMainStatus')).toBe('0')
    },
  )

  itBooted(
    'what ends the start has the code that the page names, and a wrong setting ends it once',
    async () => {
      await using system = await installed()
      // These tests would see a filter that forbids too much.
      await addition(system, '[Service]\nSystemCallFilter=~bind\n')
      await system.output(until('[ "$(systemctl show -P NRestarts coordinator)" -ge 1 ]'))
      expect(await log(system)).toContain('EPERM')
      await addition(system, '')

      await system.output(
        'echo PORT=three >> /etc/coordinator/coordinator.env; systemctl restart coordinator',
      )
      await system.output(until('systemctl is-failed --quiet coordinator'))
      expect(await failure(system)).toContain('status=78/CONFIG')
      expect(await log(system)).toMatch(/PORT/)
      expect(await state(system, 'NRestarts')).toBe('0')

      await system.output('mv /etc/coordinator/admin.token /root/')
      expect(await failure(system, 'systemctl restart coordinator')).toContain('status=243/CREDENTIALS')
      await system.output('mv /root/admin.token /etc/coordinator/; rm -f /usr/local/bin/node /usr/bin/node')
      expect(await failure(system, 'systemctl restart coordinator')).toContain('status=203/EXEC')
    },
  )

  itBooted('each addition of the page takes effect', async () => {
    await using system = await installed()
    const certificates = '/etc/letsencrypt/live/registry.example.org'
    await system.output(`umask 077; openssl rand -base64 32 > /etc/coordinator/metrics.token
mkdir -p ${certificates}; cd ${certificates}
printf '[req]\ndistinguished_name = dn\n[dn]\n' > /root/openssl.cnf
openssl req -config /root/openssl.cnf -x509 -newkey rsa:2048 -nodes -keyout privkey.pem -out fullchain.pem -subj /CN=localhost 2>&1
echo postgres://coordinator:secret@localhost:1/coordinator > /etc/coordinator/database.url`)
    expect(dropIns.length).toBe(Object.keys(proofs).length)
    for (const [word, proof] of Object.entries(proofs)) {
      const [dropIn = '', ...more] = dropIns.filter((each) => each.includes(word))
      expect(more, word).toEqual([])
      await addition(system, dropIn)
      await system.output(proof)
    }
  })
})

/** Bash that waits until a command succeeds. The time limit of the script ends it. */
function until(command: string): string {
  return `until ${command}; do sleep 0.1; done`
}

const dropInFolder = '/etc/systemd/system/coordinator.service.d'
const curl = 'curl --silent --fail --output /dev/null'
const untilReady = until(`${curl} http://127.0.0.1:3000/health/ready`)
const examples = '/srv/coordinator/examples/data/online-boutique.json'

/** Scripts that end when an addition of the page has taken effect, by a word that only this addition has. */
const proofs: Readonly<Record<string, string>> = {
  MemoryMax: `[ "$(systemctl show -P MemoryMax coordinator)" = ${2 * 1_024 ** 3} ]`,
  DATABASE_URL_FILE: until(
    `journalctl _SYSTEMD_UNIT=coordinator.service --no-pager | grep --quiet 'Connecting to localhost:1 failed: connect ECONNREFUSED'`,
  ),
  AUTH_METRICS_TOKEN_FILE: until(
    `${curl} --header "Authorization: Bearer $(cat /etc/coordinator/metrics.token)" http://127.0.0.1:3000/metrics`,
  ),
  TLS_CERT_FILE: until(`${curl} --insecure https://127.0.0.1:3000/health/ready`),
  BACKUP_URL: until('find /var/lib/coordinator-backup/ -type f | grep --quiet base'),
}

/** A system after the steps of the page, with an addition to the unit if there is one. */
async function installed(dropIn = ''): Promise<BootedSystemd> {
  const system = await BootedSystemd.boot()
  await system.output(`mkdir -p ${dropInFolder}; cat > ${dropInFolder}/override.conf`, dropIn)
  for (const command of setUp) await run(system, command)
  return system
}

/** Writes an addition alone, as `systemctl edit` does, and restarts. */
async function addition(system: BootedSystemd, dropIn: string): Promise<void> {
  await system.output(`cat > ${dropInFolder}/override.conf`, dropIn)
  await system.output('systemctl daemon-reload; systemctl restart coordinator')
}

/** Root needs no `sudo`, which need not be installed. */
function run(system: BootedSystemd, script: string, input?: string): Promise<string> {
  return system.output(`sudo() { "$@"; }\n${script}`, input)
}

function state(system: BootedSystemd, property: string): Promise<string> {
  return system.output(`systemctl show --property ${property} --value coordinator`)
}

/** What the command of the page shows of a unit that does not run, after a command that may fail. */
function failure(system: BootedSystemd, first = 'true'): Promise<string> {
  return system.output(`${first} || true; systemctl status coordinator --no-pager --lines 20 || true`)
}

function log(system: BootedSystemd): Promise<string> {
  return system.output('journalctl _SYSTEMD_UNIT=coordinator.service --output cat --no-pager')
}

async function nodes(system: BootedSystemd, query: string): Promise<number> {
  const bearer = '--header "Authorization: Bearer $(cat /etc/coordinator/admin.token)"'
  const graph = await system.output(
    `curl --silent --fail ${bearer} 'http://127.0.0.1:3000/knowledge-graph${query}'`,
  )
  return JSON.parse(graph).knowledgeGraph.metadata.nodes
}

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  )
}
