import { expect, it } from 'vitest'
import { denial } from '../../src/access/denial.ts'
import { Denials } from '../../src/http/answering/denials.ts'

/** The lines that a coordinator logs, at a time that stands still. */
function denials() {
  const lines: { reason: string; unlogged: number }[] = []
  const take = (line: { reason: string; unlogged: number }) => void lines.push(line)
  const about = { metrics: { access: { denied: () => undefined } }, log: { info: take, warn: take } }
  const clock = { now: 0 }
  const kept = new Denials(about as never, () => clock.now)
  const note = (address: string, reason: 'missing' | 'unknown') =>
    kept.note(
      { address, method: 'GET' } as never,
      {} as never,
      denial(reason, reason === 'missing' ? 'COORD_AUTH_REQUIRED' : 'COORD_CREDENTIAL_INVALID'),
    )
  return { lines, note, clock }
}

it('bad credentials of a client are logged and counted beside its requests without one', () => {
  const { lines, note, clock } = denials()
  note('192.0.2.1', 'missing')
  for (let count = 0; count < 30; count += 1) note('192.0.2.1', 'unknown')
  for (let count = 0; count < 5; count += 1) note('192.0.2.1', 'missing')
  clock.now += 60_000
  note('192.0.2.1', 'unknown')
  note('192.0.2.1', 'missing')
  expect(lines).toMatchObject([
    { reason: 'missing', unlogged: 0 },
    { reason: 'unknown', unlogged: 0 },
    { reason: 'unknown', unlogged: 29 },
    { reason: 'missing', unlogged: 5 },
  ])
})

it('denials of 100 clients a minute are logged, and as many without a credential, which take no place of the others', () => {
  const { lines, note, clock } = denials()
  const counted = () => [
    lines.filter(({ reason }) => reason === 'missing').length,
    lines.filter(({ reason }) => reason === 'unknown').length,
  ]
  for (const reason of ['missing', 'unknown'] as const)
    for (let client = 0; client < 300; client += 1) note(`10.0.${client >> 8}.${client & 255}`, reason)
  expect(counted()).toEqual([100, 100])
  clock.now += 60_000
  note('192.0.2.1', 'missing')
  note('192.0.2.1', 'unknown')
  expect(counted()).toEqual([101, 101])
})
