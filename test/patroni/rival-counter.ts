import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import type { Answer, Sender } from '../faults/coordinator-client.ts'
import { type AcknowledgedWrite, commitIdOf, outcomeOf } from '../faults/write-load.ts'

const counted = { serviceName: 'counter', version: '1.0.0', endpoint: 'http://counter:8080' }
export const counterId = serviceIdOf(counted)

/**
 * Counts upwards in one service, which rivals do too, through other coordinators: it reads the number and writes the next one with
 * `If-Match`. In the end the number is how often any of them succeeded, or a change was lost.
 */
export class RivalCounter {
  readonly acknowledged: AcknowledgedWrite[] = []
  readonly ruledOut = new Set<string>()
  /** Times that somebody else was faster. */
  lost = 0
  readonly #sender: Sender
  #running: Promise<void> | undefined
  #stopping = false

  constructor(sender: Sender) {
    this.#sender = sender
  }

  start(): void {
    this.#stopping = false
    this.#running = this.#count()
    // `pause` throws what went wrong; until then it must not end the process.
    this.#running.catch(() => undefined)
  }

  /** Resolves when what was begun is decided. */
  async pause(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #count(): Promise<void> {
    while (!this.#stopping) {
      const found = await this.#sender.send({ path: `/services/${counterId}` })
      if (found.status !== 200 && found.status !== 404)
        throw new Error(`The counter was answered with ${found.status}: ${found.text}`)
      await this.#raise(found)
      await sleep(50 + Math.random() * 100)
    }
  }

  async #raise(found: Answer): Promise<void> {
    const isNew = found.status === 404
    const step = isNew ? 1 : found.body.service.metadata.step + 1
    const key = randomUUID()
    const condition = isNew ? { 'if-none-match': '*' } : { 'if-match': found.etag as string }
    for (;;) {
      const answer = await this.#sender.send({
        method: 'POST',
        path: '/register',
        body: { ...counted, metadata: { step } },
        headers: { ...condition, 'idempotency-key': key },
      })
      const { status, body } = answer
      if (status === 200 || status === 201) {
        const { revision } = body
        this.acknowledged.push({
          commitId: commitIdOf(key),
          revision,
          serviceId: counterId,
          wish: 'put',
          step,
        })
        return
      }
      if (status === 412) {
        this.ruledOut.add(commitIdOf(key))
        this.lost += 1
        return
      }
      if (status !== 503) throw new Error(`The counter was answered with ${status}: ${answer.text}`)
      // The same again, so that it is decided in the end.
      outcomeOf(answer)
      await sleep(50 + Math.random() * 100)
    }
  }
}
