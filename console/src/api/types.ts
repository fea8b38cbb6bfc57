import type { z } from 'zod'
import type * as graph from '../../../src/http/answering/graph-schemas.ts'
import type * as answers from '../../../src/http/answering/schemas.ts'
import type * as tokens from '../../../src/http/answering/token-schemas.ts'

/** The answers of the API, as its own schemas describe them. */

export type Service = z.infer<typeof answers.serviceSchema>
export type ServiceAnswer = z.infer<typeof answers.serviceAnswerSchema>
export type ServiceList = z.infer<typeof answers.listAnswerSchema>
export type ServiceHistory = z.infer<typeof answers.historyAnswerSchema>
export type Namespaces = z.infer<typeof answers.namespacesAnswerSchema>
export type Health = z.infer<typeof answers.healthAnswerSchema>
export type Database = z.infer<typeof answers.databaseAnswerSchema>
export type Backup = NonNullable<Health['backup']>

export type CallerAccess = z.infer<typeof tokens.accessAnswerSchema>
export type Token = z.infer<typeof tokens.tokenSchema>
export type TokenList = z.infer<typeof tokens.tokenListSchema>
export type CreatedToken = z.infer<typeof tokens.createdTokenSchema>

export type GraphAnswer = z.infer<typeof graph.graphSchema>
export type GraphNode = z.infer<typeof graph.nodeSchema>
export type GraphEdge = z.infer<typeof graph.edgeSchema>
export type Reach = z.infer<typeof graph.reachSchema>
export type Neighbors = z.infer<typeof graph.neighborsSchema>
export type Paths = z.infer<typeof graph.pathsSchema>
export type Cycles = z.infer<typeof graph.cyclesSchema>
export type Unresolved = z.infer<typeof graph.unresolvedSchema>
export type Diff = z.infer<typeof graph.diffSchema>
export type Simulation = z.infer<typeof graph.simulateSchema>

/** The health of a service, in the order of urgency. */
export const HEALTHS = ['down', 'expired', 'unknown', 'up'] as const
export type HealthWord = (typeof HEALTHS)[number]

/** One commit in `GET /changes`. */
export interface JournalEntry {
  readonly revision: number
  readonly at: string
  readonly actor: string
  readonly unproven?: true
  readonly commitId: string
  readonly position: string
  readonly writes: readonly JournalWrite[]
}

export interface JournalWrite {
  readonly op: 'put' | 'delete'
  readonly kind: string
  readonly id: string
  readonly data?: Readonly<Record<string, unknown>>
}

export interface ChangesPage {
  readonly entries: readonly JournalEntry[]
  readonly next: string
  readonly more: boolean
  readonly revision: number
}
