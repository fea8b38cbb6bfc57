import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readSettings } from '../../../src/config/settings.ts'
import { CoordinatorError } from '../../../src/errors.ts'
import { itWith } from '../../support/it-with.ts'
import { unknownVariables } from '../known-variables.ts'
import { assignments, environmentFilePath, UnitFile, unitPath } from './unit-file.ts'

const execute = promisify(execFile)

const text = readFileSync(unitPath, 'utf8')
const unit = new UnitFile(text)
/** The file with its examples switched on: a line `#NAME=value` is one. */
const examples = assignments(readFileSync(environmentFilePath, 'utf8').replaceAll(/^#(?=[A-Z_0-9]+=)/gm, ''))

/** What `systemd-analyze` says about a unit; its Node.js is the one that runs this test. */
async function analyze(unitText: string, ...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-unit-'))
  try {
    const path = join(folder, 'coordinator.service')
    writeFileSync(path, unitText.replace('ExecStart=node ', `ExecStart=${process.execPath} `))
    const { stdout, stderr } = await execute('systemd-analyze', [...args, '--no-pager', path])
    return { code: 0, output: stdout + stderr }
  } catch (thrown) {
    const { code, stdout, stderr } = thrown as { code: number; stdout: string; stderr: string }
    return { code, output: stdout + stderr }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const verify = (unitText: string) => analyze(unitText, 'verify', '--recursive-errors=yes', '--man=no')
const highestExposure = 1.2
const rate = (unitText: string) =>
  analyze(unitText, 'security', '--offline=yes', `--threshold=${highestExposure * 10}`)

describe('deploy/coordinator.service', () => {
  itWith('systemd-analyze')('has nothing that systemd complains about', async () => {
    expect(await verify(text)).toEqual({ code: 0, output: '' })
  })

  itWith('systemd-analyze')('with a mistake is refused by the same check', async () => {
    const misspelt = await verify(text.replace('Restart=always', 'Restrat=always'))
    expect(misspelt.output).toContain("'Restrat'")
    const without = await verify(text.replace('ExecStart=node ', 'ExecStart=/usr/bin/no-such-node '))
    expect(without.output).toContain('/usr/bin/no-such-node is not executable')
    const wrong = await verify(
      text.replace('SystemCallFilter=@system-service', 'SystemCallFilter=@sytem-service'),
    )
    expect(wrong.output).toContain('@sytem-service')
  })

  itWith('systemd-analyze')(`leaves an exposure of at most ${highestExposure} of 10`, async () => {
    const { code, output } = await rate(text)
    expect(output).toContain('Overall exposure level')
    expect(code, output).toBe(0)
    const looser = await rate(text.replaceAll(/^SystemCallFilter=.*$/gm, ''))
    expect(looser.code).not.toBe(0)
  })

  it('sets only variables that the coordinator reads, to values that it accepts', () => {
    const environment = unit.environment()
    expect(Object.keys(environment).length).toBeGreaterThanOrEqual(4)
    expect(unknownVariables(Object.keys(environment))).toEqual([])
    expect(unknownVariables(['DATABSE_URL'])).toEqual(['DATABSE_URL'])
    const settings = readSettings(inPlace(environment))
    expect(settings.database).toMatchObject({ backend: 'sqlite' })
    expect(settings.access.mode).toBe('required')
    expect(settings.warnings).toEqual([])
  })

  it('has started when the program runs, and keeps its records in the folder that systemd makes', () => {
    // Node.js cannot notify systemd, and a start must not time out while the coordinator waits for its database.
    expect(unit.one('Type')).toBe('exec')
    expect(unit.one('Restart')).toBe('always')
    const folder = `%S/${unit.one('StateDirectory')}`
    expect(unit.one('WorkingDirectory')).toBe(folder)
    expect(unit.environment()['DATABASE_URL']).toBe(`sqlite:${folder}/coordinator.db`)
  })

  it('loads each credential that its variables name', () => {
    const loaded = unit.all('LoadCredential').map((each) => each.split(':')[0])
    const named = Object.values(unit.environment()).flatMap((value) => /^%d\/(.+)$/.exec(value)?.[1] ?? [])
    expect(named.length).toBeGreaterThan(0)
    expect(named).toEqual(loaded)
  })

  it('leaves more time for a stop than the coordinator takes, and more descriptors than clients may have', () => {
    const { shutdownTimeoutMs, connectionsMax } = readSettings({})
    expect(Number(unit.one('TimeoutStopSec')) * 1_000).toBeGreaterThanOrEqual(2 * shutdownTimeoutMs)
    expect(Number(unit.one('LimitNOFILE'))).toBeGreaterThanOrEqual(connectionsMax + 256)
  })

  it('allows twice as much memory as the heap', () => {
    const [, heapMib] = /--max-old-space-size=(\d+)/.exec(unit.environment()['NODE_OPTIONS'] ?? '') ?? []
    expect(unit.one('MemoryMax')).toBe(`${(2 * Number(heapMib)) / 1_024}G`)
  })

  it('does not restart after a wrong setting or a wrong command line', () => {
    const fault = new CoordinatorError('COORD_CONFIG_INVALID')
    const misuse = new CoordinatorError('COORD_QUERY_INVALID')
    expect(unit.one('RestartPreventExitStatus').split(' ').map(Number)).toEqual([
      misuse.exitCode,
      fault.exitCode,
    ])
  })

  it('names only files of the package, and a page that is there', () => {
    const inPackage = [
      ...text.matchAll(/\/opt\/coordinator\/node_modules\/@coordinator\/server\/([\w./-]+)/g),
    ]
    expect(inPackage.map(([, path]) => path).toSorted()).toEqual(['bin/coordinator.js', 'docs/systemd.md'])
    for (const [, path = ''] of inPackage) expect(() => readFileSync(path)).not.toThrow()
  })
})

describe('deploy/coordinator.env', () => {
  it('has examples that the coordinator accepts, together with the unit', () => {
    expect(Object.keys(examples).length).toBeGreaterThan(5)
    expect(unknownVariables(Object.keys(examples))).toEqual([])
    const settings = readSettings({ ...inPlace(unit.environment()), ...examples })
    expect(settings.backupUrl).toBeDefined()
  })

  it('changes nothing as it ships', () => {
    expect(assignments(readFileSync(environmentFilePath, 'utf8'))).toEqual({})
  })
})

/** The variables as systemd passes them on, with a credential that exists. */
function inPlace(environment: Readonly<Record<string, string>>): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-unit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'admin.token'), 'an-example-of-a-secret-that-nobody-uses\n')
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/^%d(?=\/)/, folder).replace('%S', '/var/lib'),
    ]),
  )
}
