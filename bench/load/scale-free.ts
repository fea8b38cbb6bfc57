/** A service of a generated system, and the numbers of those it needs. */
export interface GeneratedService {
  readonly number: number
  readonly needs: readonly number[]
}

/**
 * A system as they grow: every service needs some others, and half of the choices fall on those that many need already.
 * The same numbers give the same system.
 *
 * @param services how many
 * @param edges how many dependencies in all, about
 */
export function* scaleFree(services: number, edges: number): Generator<GeneratedService> {
  const perService = Math.max(1, Math.round(edges / services))
  const random = seededRandom(42)
  /** Every target as often as it was chosen. */
  const chosen = new Int32Array(services * perService)
  let count = 0
  for (let number = 0; number < services; number += 1) {
    const needs = new Set<number>()
    for (let choice = 0; choice < perService; choice += 1) {
      const popular = count > 0 && random() < 0.5
      const target = popular
        ? (chosen[Math.floor(random() * count)] as number)
        : Math.floor(random() * services)
      chosen[count++] = target
      if (target !== number) needs.add(target)
    }
    yield { number, needs: [...needs] }
  }
}

/** Numbers from 0 to 1 that are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}

export function generatedRegistration({ number, needs }: GeneratedService): string {
  return JSON.stringify({
    serviceName: `svc-${number}`,
    version: `1.${number % 7}.0`,
    endpoint: `http://svc-${number}.internal.example:8080/api`,
    tags: [`zone-${number % 12}`, number % 2 === 0 ? 'public' : 'internal'],
    dependencies: needs.map((target) => `svc-${target}`),
  })
}
