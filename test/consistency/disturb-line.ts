import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '../support/fault-proxy.ts'
import type { RandomSource } from './random-source.ts'

/** The longest silence of a line, in milliseconds. */
const SILENCE_MAX_MS = 800

/** Damages one of the lines to the database for a while, and mends it. */
export async function disturbLine(lines: readonly FaultProxy[], random: RandomSource): Promise<void> {
  const line = random.of(lines)
  switch (random.of(['lose reply', 'cut', 'cut reply', 'freeze', 'refuse', 'slow'] as const)) {
    case 'lose reply':
      line.add({ matching: 'commit', times: 2, fault: { do: 'lose reply' } })
      break
    case 'cut reply':
      line.add({ times: 2, fault: { do: 'cut reply', afterBytes: 20 + random.below(200) } })
      break
    case 'slow':
      line.add({ times: 3, fault: { do: 'slow reply', bytesPerSecond: 40_000 } })
      break
    case 'cut':
      line.cut()
      break
    case 'freeze':
      line.freeze()
      await sleep(random.below(SILENCE_MAX_MS))
      break
    case 'refuse':
      await line.refuse()
      await sleep(random.below(300))
      await line.listen()
  }
  await sleep(50 + random.below(200))
  line.heal()
}
