import type { Inspection } from '../store.ts'
import type { Door } from './door.ts'
import { numberOf, readReply, textOf } from './door-replies.ts'

export type Facts = Record<string, string | number | boolean>

/** Members of the answer that have a place of their own, or say nothing to people. */
const elsewhere = new Set(['status', 'schema', 'serverVersion', 'nowMs'])

/**
 * Asks the function `inspect` for its facts, and adds what only the caller sees: round trip and the difference of clocks.
 *
 * @param wayThere tells, after the call, what the backend knows about the connection
 */
export async function inspectThroughDoor(
  door: Door,
  wayThere: () => Facts | Promise<Facts>,
): Promise<Inspection> {
  const sentAt = Date.now()
  const started = performance.now()
  const reply = await door.call('inspect', '{}')
  const roundTripMs = performance.now() - started
  const known = await wayThere()
  return readReply(reply, (facts) => ({
    serverVersion: textOf(facts, 'serverVersion'),
    schemaVersion: numberOf(facts, 'schema'),
    details: {
      ...known,
      roundTripMs: Math.round(roundTripMs * 10) / 10,
      clockSkewMs: Math.round(numberOf(facts, 'nowMs') - (sentAt + roundTripMs / 2)),
      ...detailsOf(facts, known),
    },
  }))
}

/** @param known what the backend knows better: the database only sees whoever stands in between */
function detailsOf(facts: Readonly<Record<string, unknown>>, known: Facts): Facts {
  const details: Facts = {}
  for (const [name, value] of Object.entries(facts)) {
    if (elsewhere.has(name) || Object.hasOwn(known, name) || value === null) continue
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      details[name] = value
    else details[name] = JSON.stringify(value)
  }
  return details
}
