import { globSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fileListeningFaults, listeningFaults } from './listening-faults.ts'

const documents = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'examples/**/*.md'])
const files = globSync('deploy/**').filter(
  (path) => statSync(path).isFile() && !/\.md$|deploy.secrets/.test(path),
)

describe('documented commands that listen on all addresses', () => {
  it.each(documents)('in %s need a credential, or are reached from this machine only', (path) => {
    expect(listeningFaults(readFileSync(path, 'utf8'))).toEqual([])
  })

  it('are found', () => {
    const guide = readFileSync('docs/container.md', 'utf8')
    expect(listeningFaults(guide.replaceAll('AUTH=', 'A=')).length).toBeGreaterThan(1)
    expect(listeningFaults(readFileSync('README.md', 'utf8').replaceAll('AUTH=required', ''))).toHaveLength(1)
  })

  it.each([
    'HOST=0.0.0.0 npm start',
    'HOST=:: AUTH=required npm start',
    'HOST=0.0.0.0 AUTH=off npm start',
    'coordinator serve --host 0.0.0.0',
    'docker run -p 3000:3000 -e AUTH=off coordinator:local',
    'docker run -p 127.0.0.1:3000:3000 -p 4000:3000 -e AUTH=off coordinator:local serve',
    'docker run \\\n  --publish 127.0.0.1:3000:3000 \\\n  coordinator:local',
  ])('%s is a fault', (command) => {
    expect(listeningFaults(`    ${command}\n`)).toHaveLength(1)
  })

  it.each([
    'HOST=0.0.0.0 AUTH=required AUTH_ADMIN_TOKEN_FILE=admin.secret npm start',
    'docker run -p 127.0.0.1:3000:3000 -e AUTH=off coordinator:local',
    'docker run --rm coordinator:local restore --from file:///backup',
    'npm start',
  ])('%s is none', (command) => {
    expect(listeningFaults(`    ${command}\n`)).toEqual([])
  })
})

describe('files of deploy/', () => {
  it.each(files)('%s listens on all addresses only with AUTH=required', (path) => {
    // The image has no AUTH: it does not start until somebody sets it.
    const unit =
      path === 'deploy/coordinator.env' ? readFileSync(path.replace(/env$/, 'service'), 'utf8') : ''
    const text = readFileSync(path, 'utf8') + unit
    expect(path.endsWith('Dockerfile') ? [] : fileListeningFaults(text)).toEqual([])
  })

  it('are found where they do not', () => {
    expect(fileListeningFaults('Environment=HOST=0.0.0.0\n')).toHaveLength(1)
    expect(fileListeningFaults('HOST: 0.0.0.0\nAUTH: required\n')).toEqual([])
    expect(fileListeningFaults("- name: HOST\n  value: '::'\n")).toHaveLength(1)
  })
})
