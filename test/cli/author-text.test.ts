import { describe, expect, it } from 'vitest'
import { actorOf } from '../../src/access/actor.ts'
import { authorText } from '../../src/cli/terminal/author-text.ts'

const strangers = { actor: undefined } as Parameters<typeof actorOf>[0]

describe('the author of a change, for people', () => {
  it.each([
    ['token:ci', 'token:ci'],
    ['http:127.0.0.1 as cli%3Aanna%20import', 'http:127.0.0.1 as "cli:anna import"'],
    ['token:ci as admin%22%20as%20admin', 'token:ci as "admin\\" as admin"'],
    ['token:ci as %E2%82', 'token:ci as %E2%82'],
    ['sql:postgres as 100%', 'sql:postgres as 100%'],
    ['somebody as other as admin', 'somebody as other as admin'],
  ])('%s is shown as %s', (actor, shown) => {
    expect(authorText(actor)).toBe(shown)
  })

  it('shows what a writer claimed as it wrote it', () => {
    const claim = 'déploiement “ß” as admin'
    expect(authorText(actorOf(strangers, { address: '10.0.0.7', claim }))).toBe(
      'http:10.0.0.7 as "déploiement “ß” as admin"',
    )
  })

  it('marks an author whom nobody has proved', () => {
    expect(authorText('http:::1 as cli%3Aroot', true)).toBe('http:::1 as "cli:root" (unproven)')
  })
})
