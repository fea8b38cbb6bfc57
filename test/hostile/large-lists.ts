import { expect } from 'vitest'
import { ask, registration, type Serving } from '../main/coordinator-process.ts'

/** Registers services of 16 KB each: 500 of them are an answer of 8 MB. @returns the id of one of the last */
export async function registerLarge(url: string, count: number): Promise<string> {
  const metadata = { fill: 'x'.repeat(16_000) }
  let id = ''
  for (let at = 0; at < count; at += 50) {
    const batch = Array.from({ length: 50 }, (_, n) => registration(`s${at + n}`, { metadata }))
    const { body } = await ask(`${url}/register/batch`, 'POST', batch)
    expect(body.failed).toBe(0)
    id = body.results[0].serviceId
  }
  return id
}

/** The present value of a metric that has no labels. */
export async function metric({ url }: Serving, name: string): Promise<number> {
  const { body } = await ask(`${url}/metrics`)
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(body)?.[1])
}
