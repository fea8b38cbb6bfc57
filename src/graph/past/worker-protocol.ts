import type { ErrorCode, Problem } from '../../errors.ts'
import type { Entry, StoredRecord } from '../../records/record.ts'
import type { FormatName } from '../export/export-graph.ts'
import type { EdgeList } from '../model/csr.ts'
import type { Question } from '../questions/answer-question.ts'
import type { GraphFilter, GraphMoment } from '../questions/select-graph.ts'
import type { SimulatedChange } from '../simulate/simulate.ts'

/** What the helper process can be asked to do. `key` names what it holds; the asker chooses it. */
export type WorkerTask =
  | { readonly do: 'analyse'; readonly key: number; readonly edges: EdgeList }
  | { readonly do: 'components' | 'criticality'; readonly key: number }
  | { readonly do: 'dependents'; readonly key: number; readonly nodes: readonly number[] }
  | { readonly do: 'put'; readonly key: number; readonly records: readonly StoredRecord[] }
  | { readonly do: 'ask'; readonly key: number; readonly question: Question }
  | {
      readonly do: 'export'
      readonly key: number
      readonly graph: number
      readonly format: FormatName
      readonly filter: GraphFilter
      readonly moment: GraphMoment
    }
  | { readonly do: 'nextChunk'; readonly key: number }
  | { readonly do: 'simulate'; readonly key: number; readonly changes: readonly SimulatedChange[] }
  | { readonly do: 'diff'; readonly key: number }
  | { readonly do: 'replay'; readonly key: number; readonly entries: readonly Entry[] }
  | { readonly do: 'differences'; readonly key: number; readonly limit: number }
  | { readonly do: 'forget'; readonly key: number }

/** A task, or the message that nobody waits for a task any more. */
export type WorkerRequest =
  | { readonly id: number; readonly task: WorkerTask }
  | { readonly id: number; readonly task?: undefined }

export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number
      readonly error: {
        readonly code: ErrorCode
        readonly detail: string
        readonly hint: string
        readonly extra: Readonly<Record<string, unknown>>
        readonly errors: readonly Problem[]
      }
    }
