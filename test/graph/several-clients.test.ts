import { describe, expect, it } from 'vitest'
import type { Question } from '../../src/graph/questions/answer-question.ts'
import { answering, ClientQuestion } from '../../src/scheduling/client-question.ts'
import { withGraph } from './support/with-graph.ts'

/** A question of a client that waits for its answer. */
function asking<T>(client: string, ask: () => Promise<T>): Promise<T> {
  const asker = { client, topic: 'graph', isAnswered: false, isGone: false, onGone: () => () => undefined }
  const question = new ClientQuestion(asker)
  return answering(question, ask).finally(() => question.close())
}

describe('questions of several clients about whole graphs', () => {
  it('take turns: one that asks many different ones delays another by a few, and is told when they are too many', () =>
    withGraph(
      async ({ graph, register }) => {
        await register('a', { dependencies: ['a'] })
        const ended: string[] = []
        const refused: string[] = []
        const ask = (client: string, question: Question) =>
          asking(client, () => graph.ask(question)).then(
            () => ended.push(client),
            ({ code }) => refused.push(`${client} ${code}`),
          )
        const many = Array.from({ length: 60 }, (_, at) =>
          ask('many', { ask: 'cycles', edgeTypes: [`type-${at}`] }),
        )
        const few = [ask('few', { ask: 'critical' }), ask('few', { ask: 'cycles' })]
        await Promise.all(few)
        expect(ended.filter((client) => client === 'many').length).toBeLessThan(20)
        await Promise.all(many)
        expect(ended).toHaveLength(53)
        expect([...new Set(refused)]).toEqual(['many COORD_GRAPH_BUSY'])
      },
      { inlineMaxEdges: 0 },
    ))

  it('take turns also where the graph of a moment is kept already', () =>
    withGraph(async ({ graph, register }) => {
      await register('a', { dependencies: ['a'] })
      const moment = { revision: 1 }
      await graph.askPast(moment, { ask: 'orphans' })
      const ended: string[] = []
      const ask = (client: string) =>
        asking(client, () => graph.askPast(moment, { ask: 'cycles' })).then(() => ended.push(client))
      const many = Array.from({ length: 200 }, () => ask('many'))
      await ask('few')
      expect(ended.length).toBeLessThan(20)
      await Promise.all(many)
    }))
})
