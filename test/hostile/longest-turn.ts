import { resolve } from 'node:path'
import type { Serving } from '../main/coordinator-process.ts'

/** Arguments of Node.js for a coordinator whose turns are measured. */
export const watchingTurns = ['--import', resolve('test/hostile/watch-turns.ts')]

/**
 * For how long a coordinator has worked in one turn of its event loop since this was asked last, in milliseconds: so long it
 * answers nobody.
 */
export async function longestTurnMs({ process }: Serving): Promise<number> {
  const said = () => [...process.output.matchAll(/longest turn ([\d.]+) ms/g)]
  const before = said().length
  process.kill('SIGUSR2')
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    const last = said()[before]
    if (last !== undefined) return Number(last[1])
    await new Promise((resume) => setTimeout(resume, 5))
  }
  throw new Error('The coordinator did not say how long its turns were: give it `watchingTurns`.')
}
