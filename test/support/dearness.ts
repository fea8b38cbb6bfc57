import { availableParallelism, loadavg } from 'node:os'

const text = `[${'1,'.repeat(500_000)}1]`
/** What reading that takes of the processor where the bounds of the tests were set, in milliseconds. */
const usualMs = 10
const mostWaiting = 4

/**
 * How much dearer work is at this moment than where the bounds of the tests were set, never less than 1: processors that several
 * programs share take up to four times as long for the same.
 */
export function dearness(): number {
  const times = [1, 2, 3, 4, 5].map(() => {
    const before = process.cpuUsage()
    JSON.parse(text)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  const dearer = (times.sort((left, right) => left - right)[3] as number) / usualMs
  // Where many wait for a processor, whoever measures is late as well.
  const waiting = (loadavg()[0] as number) / availableParallelism()
  return Math.max(1, dearer, Math.min(mostWaiting, waiting))
}
