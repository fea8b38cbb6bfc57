import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { dockerfileFaults } from './dockerfile-faults.ts'

const dockerfile = readFileSync('deploy/Dockerfile', 'utf8')
const ignored = readFileSync('.dockerignore', 'utf8')

describe('deploy/Dockerfile', () => {
  it('has no fault', () => {
    expect(dockerfileFaults(dockerfile)).toEqual([])
  })

  it('names the version of the package', () => {
    expect(/image\.version="([^"]+)"/.exec(dockerfile)?.[1]).toBe(packageJson.version)
  })

  it('has a Node.js that the package accepts', () => {
    expect(`>=${/NODE_IMAGE=\S+:(\d+)/.exec(dockerfile)?.[1]}`).toBe(packageJson.engines.node)
  })
})

describe('the check of the Dockerfile', () => {
  it.each([
    ['an unknown instruction', 'EXPOSE', 'EXPOSES', 'Unknown instruction: EXPOSES'],
    ['a wrong duration', '--interval=30s', '--interval=soon', 'invalid duration soon'],
    ['a relative folder', 'WORKDIR /data', 'WORKDIR data', 'WORKDIR paths should be absolute'],
    ['root', 'USER 1000:1000', 'USER 0:0', 'runs as 0:0'],
    ['a user by name', 'USER 1000:1000', 'USER node', 'runs as node'],
    ['no user', 'USER 1000:1000', 'ENV A=b', 'runs as root'],
    [
      'a shell for the process',
      '["node", "/app/bin/coordinator.js"]',
      'node x',
      'ENTRYPOINT is not in exec form',
    ],
    ['npm as process 1', '["node", "/app/bin/coordinator.js"]', '["npm", "start"]', 'ENTRYPOINT starts npm'],
    ['no health check', 'HEALTHCHECK', 'LABEL a=b #', 'has no HEALTHCHECK'],
    [
      'a health check by a shell',
      'CMD ["node", "/app/deploy/health-check.js"]',
      'CMD node x',
      'HEALTHCHECK is not',
    ],
    ['a secret', 'ENV HOST=0.0.0.0', 'ENV AUTH_ADMIN_TOKEN=x', 'ENV has a secret'],
    ['development dependencies', 'COPY --from=build /build/dist', 'COPY . /app', 'copies . /app'],
    ['npm in the image', 'RUN mkdir', 'RUN npm ci && mkdir', 'leaves npm'],
    [
      'an installation without the lock file',
      'npm ci --omit=dev',
      'npm install --omit=dev',
      'does not follow the lock',
    ],
    ['scripts of packages', ' --ignore-scripts', '', 'without --ignore-scripts'],
    ['a missing label', 'image.licenses', 'image.license', 'has no label licenses'],
    ['a base without a version', ':24-bookworm-slim', '', 'which version of the base'],
    ['another base', /FROM \S+\nLABEL/, 'FROM alpine:3\nLABEL', 'begins a stage with alpine:3'],
  ])('finds %s', (_, right, wrong, fault) => {
    const planted = dockerfile.replace(right, wrong)
    expect(planted).not.toBe(dockerfile)
    expect(dockerfileFaults(planted).join('\n')).toContain(fault)
  })
})

describe('.dockerignore', () => {
  const lines = ignored.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

  it('keeps everything out that it does not name', () => {
    expect(lines[0]).toBe('*')
  })

  it('lets nothing in that may hold a secret', () => {
    const open = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    expect(
      open.filter((line) => /^(\*|\.|data|deploy|examples|test)$|\.(env|secret|token|db)/.test(line)),
    ).toEqual([])
  })
})
