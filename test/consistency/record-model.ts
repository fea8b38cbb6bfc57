import type { Condition, Fields, RecordedCall } from './recorded-call.ts'

/**
 * What a record is at one moment. Its revision is not known after a write that nobody was told of: then it is only known to be
 * above `above`.
 */
export interface RecordState {
  /** `undefined`: there is none. */
  readonly fields: Fields | undefined
  /** `undefined`: not known. Of a record that is absent: 0. */
  readonly revision: number | undefined
  /** The newest revision that the record is known to have had. */
  readonly above: number
}

export const nothingYet: RecordState = { fields: undefined, revision: 0, above: 0 }

/** The state after a call that happens at this moment with this outcome; `undefined` where it cannot have that outcome. */
export function step(state: RecordState, call: RecordedCall): RecordState | undefined {
  const { wish, outcome } = call
  if (outcome.is === 'unknown') return whereUnknown(state, call)
  if (wish.does === 'read') {
    if (outcome.is === 'not found') return state.fields === undefined ? state : undefined
    if (outcome.is !== 'shown' || state.fields === undefined || !sameFields(state.fields, outcome.fields))
      return undefined
    return atRevision(state, outcome.revision)
  }
  switch (outcome.is) {
    case 'not found':
      return wish.does !== 'replace' && state.fields === undefined ? state : undefined
    case 'refused':
      return refused(state, call.condition, outcome.actual)
    case 'done':
      return done(state, call, outcome)
    case 'shown':
      return undefined
  }
}

export function stateText({ fields, revision, above }: RecordState): string {
  return `${fields === undefined ? '-' : fieldsText(fields)}@${revision ?? `>${above}`}>${above}`
}

function whereUnknown(state: RecordState, { wish, condition }: RecordedCall): RecordState | undefined {
  const met = atCondition(state, condition)
  if (met === undefined) return undefined
  const next = written(met, wish)
  if (next === undefined || next === met.fields || wish.does === 'read') return undefined
  if (next === 'absent') return { fields: undefined, revision: 0, above: met.above }
  return { fields: next, revision: undefined, above: met.revision ?? met.above }
}

function refused(
  state: RecordState,
  condition: Condition,
  actual: number | undefined,
): RecordState | undefined {
  const exists = state.fields !== undefined
  const isUnmet =
    condition.is === 'absent'
      ? exists
      : condition.is === 'exists'
        ? !exists
        : condition.is === 'revision' &&
          (state.revision === undefined || state.revision !== condition.revision)
  if (!isUnmet) return undefined
  return actual === undefined ? state : atRevision(state, actual)
}

function done(
  state: RecordState,
  { wish, condition }: RecordedCall,
  outcome: Extract<RecordedCall['outcome'], { is: 'done' }>,
): RecordState | undefined {
  const met = atCondition(state, condition)
  if (met === undefined) return undefined
  const next = written(met, wish)
  if (next === undefined) return undefined
  if (outcome.created !== undefined && outcome.created !== (met.fields === undefined && outcome.changed))
    return undefined
  const fields = next === 'absent' ? undefined : next
  for (const [name, holds] of Object.entries(outcome.holds ?? {}))
    if (holds !== (fields?.[name] !== undefined)) return undefined
  const isSame =
    fields === undefined
      ? met.fields === undefined
      : met.fields !== undefined && sameFields(fields, met.fields)
  if (outcome.changed === isSame) return undefined
  if (!outcome.changed) return atRevision(met, outcome.revision)
  // Every commit has a revision of its own, above all before it.
  if (outcome.revision <= Math.max(met.above, met.revision ?? 0)) return undefined
  return { fields, revision: fields === undefined ? 0 : outcome.revision, above: outcome.revision }
}

/** What a wish makes of a record; `undefined` where it cannot be fulfilled. */
function written({ fields }: RecordState, wish: RecordedCall['wish']): Fields | 'absent' | undefined {
  switch (wish.does) {
    case 'replace': {
      const kept = wish.keeps.flatMap((name) => {
        const value = fields?.[name]
        return value === undefined ? [] : [[name, value] as const]
      })
      return { ...Object.fromEntries(kept), ...wish.fields }
    }
    case 'merge':
      return fields === undefined ? undefined : { ...fields, ...wish.fields }
    case 'delete':
      return fields === undefined ? undefined : 'absent'
    case 'read':
      return fields
  }
}

/** The state where a condition holds, with what that says about its revision. */
function atCondition(state: RecordState, condition: Condition): RecordState | undefined {
  switch (condition.is) {
    case 'none':
      return state
    case 'absent':
      return state.fields === undefined ? state : undefined
    case 'exists':
      return state.fields === undefined ? undefined : state
    case 'revision':
      return state.fields === undefined ? undefined : atRevision(state, condition.revision)
  }
}

/** The state where its revision is this one. */
function atRevision(state: RecordState, revision: number): RecordState | undefined {
  if (state.revision !== undefined) return state.revision === revision ? state : undefined
  return revision > state.above ? { ...state, revision, above: revision } : undefined
}

export function sameFields(left: Fields, right: Fields): boolean {
  return fieldsText(left) === fieldsText(right)
}

function fieldsText(fields: Fields): string {
  return Object.entries(fields)
    .sort()
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}
