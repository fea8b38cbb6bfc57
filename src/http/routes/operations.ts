import type { FastifyPluginCallback } from 'fastify'
import { databaseAnswer } from '../answering/database-answer.ts'
import { DatabaseInspection } from '../answering/database-inspection.ts'
import { databaseAnswerSchema } from '../answering/schemas.ts'
import { json, type Operation } from '../reading/operation.ts'
import { refuseQuery } from '../reading/read-query.ts'
import type { HttpContext } from '../routing/http-context.ts'

/** `/metrics` and `/database`: for operators of the coordinator. */
export const operationsRoutes: FastifyPluginCallback<HttpContext> = (app, context, done) => {
  const { live, metrics, answers } = context
  const inspection = new DatabaseInspection(live.store.inspector)

  app.get('/metrics', { config: { operation: scrape } }, async (_request, reply) => {
    answers.send(reply, { body: await metrics.text(), contentType: metrics.contentType, isUrgent: true })
  })

  app.get('/database', { config: { operation: database } }, async (request, reply) => {
    refuseQuery(request)
    const server = await inspection.latest()
    answers.send(reply, {
      body: JSON.stringify(databaseAnswer(context, server)),
      headers: [...answers.stateHeaders(), 'Cache-Control', 'no-store'],
    })
  })
  done()
}

const scrape: Operation = {
  chapter: 'operations',
  scope: 'metrics',
  summary: 'Metrics for Prometheus',
  answers: { 200: { description: 'Every metric.', content: { 'text/plain': undefined } } },
}

const database: Operation = {
  chapter: 'operations',
  scope: 'metrics',
  summary: 'The state of the database',
  description:
    'The coordinator answers even if the database does not. `server` then shows the last known facts. `refusedRecords` lists records that were changed by hand into something that is not allowed (at most 100).',
  answers: { 200: json('The state.', databaseAnswerSchema) },
}
