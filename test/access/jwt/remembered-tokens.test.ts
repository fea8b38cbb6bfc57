import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { JwtPrincipal } from '../../../src/access/jwt/jwt-principal.ts'
import { RememberedTokens } from '../../../src/access/jwt/remembered-tokens.ts'
import { Grants } from '../../../src/access/scopes/grants.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

function createMemory(max = 10) {
  const memory = new RememberedTokens({ now: Date.now, max })
  const remember = (name: string, lifetimeMs = 3_600_000) => {
    const principal = new JwtPrincipal({
      ...{ issuer: 'https://issuer.example', subject: name, grants: Grants.READ, keyName: `key of ${name}` },
      expiresAt: Date.now() + lifetimeMs,
      onWatch: (watched) => memory.watch(watched),
    })
    memory.add(name, principal)
    return principal
  }
  return { memory, remember }
}

describe('remembered tokens', () => {
  it('as many as were asked for are remembered, and at most twice as many: those that were used most recently', () => {
    const { memory, remember } = createMemory(3)
    const a = remember('a')
    for (const name of ['b', 'c', 'd', 'e']) remember(name)
    expect(memory.size).toBe(5)
    expect(memory.get('a')).toBe(a)
    remember('f')
    expect(['b', 'c', 'e', 'a', 'f'].map((name) => memory.get(name)?.actor)).toEqual([
      ...[undefined, undefined],
      ...['jwt:e', 'jwt:a', 'jwt:f'],
    ])
  })

  it('a token that comes all the time is found as fast as others', () => {
    vi.useRealTimers()
    const { memory, remember } = createMemory(10_000)
    const names = Array.from({ length: 15_000 }, (_, index) => `token ${index}`)
    for (const name of names) remember(name)
    const measure = (nameAt: (index: number) => string) => {
      // Time of the processor, so that other work of the machine does not count.
      const before = process.cpuUsage()
      for (let index = 0; index < 300_000; index += 1) memory.get(nameAt(index))
      return process.cpuUsage(before).user / 1_000
    }
    measure((index) => names[index % 10_000] as string)
    const several = measure((index) => names[index % 10_000] as string)
    const one = measure(() => names[7] as string)
    expect(one).toBeLessThan(several * 8 + 200)
  })

  it('the streams of a principal end at the moment when it expires', () => {
    const { remember } = createMemory()
    const [soon, later] = [remember('soon', 90_000).ended, remember('later', 90_001).ended]
    vi.advanceTimersByTime(89_999)
    expect(soon.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect([soon.aborted, later.aborted]).toEqual([true, false])
    vi.advanceTimersByTime(1)
    expect(later.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('the streams of a forgotten token still end when it expires', () => {
    const { memory, remember } = createMemory(1)
    const { ended } = remember('a', 1_000)
    remember('b')
    expect(memory.get('a')).toBeUndefined()
    vi.advanceTimersByTime(1_000)
    expect(ended.aborted).toBe(true)
  })

  it('the streams of a forgotten token still end with its key', () => {
    const { memory, remember } = createMemory(1)
    const [a, b] = [remember('a').ended, remember('b').ended]
    memory.keep(({ keyName }) => keyName !== 'key of a')
    expect([a.aborted, b.aborted]).toEqual([true, false])
  })

  it('the oldest streams end where more principals have some than can be watched, and their token is verified again', () => {
    const { memory, remember } = createMemory(2)
    const oldest = remember('a')
    const ends = [oldest.ended]
    for (const name of ['b', 'c', 'd', 'e']) {
      expect(memory.get('a')).toBe(oldest)
      ends.push(remember(name).ended)
    }
    expect(ends.map(({ aborted }) => aborted)).toEqual([true, false, false, false, false])
    expect(memory.get('a')).toBeUndefined()
  })

  it('a clock that is set forward ends what has expired within a minute', () => {
    const { remember } = createMemory()
    const { ended } = remember('a', 86_400_000)
    vi.setSystemTime(Date.now() + 86_400_000)
    vi.advanceTimersByTime(60_000)
    expect(ended.aborted).toBe(true)
  })

  it('a principal that ended before it was asked for its end says so', () => {
    const { memory, remember } = createMemory()
    const principal = remember('a')
    memory.keep(() => false)
    expect([principal.ended.aborted, memory.size]).toEqual([true, 0])
  })

  it('no timer runs for principals without streams, nor after the stop', () => {
    const { memory, remember } = createMemory()
    const principal = remember('a')
    expect(vi.getTimerCount()).toBe(0)
    expect(principal.ended).toBe(principal.ended)
    expect(vi.getTimerCount()).toBe(1)
    memory.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('a lifetime of centuries is one timer, too', () => {
    const { remember } = createMemory()
    const { ended } = remember('a', Number.MAX_VALUE)
    vi.advanceTimersByTime(3_600_000)
    expect(ended.aborted).toBe(false)
  })
})
