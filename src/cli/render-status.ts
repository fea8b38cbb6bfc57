import { textTable } from './text-table.ts'

/** Answers of a coordinator. They may come from another version: whatever is not there is left out. */
export interface StatusAnswers {
  readonly url: string
  readonly health: unknown
  readonly database: unknown
}

type Row = readonly [label: string, text: string | undefined]

/** `GET /health` and `GET /database` for people: what is as it should be in few words, what is not with its reason. */
export function renderStatus({ url, health, database }: StatusAnswers): string {
  const [is, has] = [membersOf(health), membersOf(database)]
  const rows: Row[] = [
    ['coordinator', joined([url, prefixed('version ', is['version'])])],
    ['status', joined([is['status'], prefixed('up ', durationText(is['uptime']))])],
    ['services', textOf(is['registeredServices'])],
    ['storage', storageText(is, has)],
    ['state', joined([has['status'], prefixed('since ', has['since'])])],
    ['reason', reasonText(has)],
    ['repair', textOf(has['repair'])],
    ['loaded', loadedText(has)],
    ...viewRows(has),
    ['waiting writes', textOf(has['waitingWrites'])],
    ['memory', memoryText(has)],
    ['server', serverText(has)],
    ...detailRows(membersOf(has['server'])),
    ...poolRows(membersOf(has['pool'])),
    ...latencyRows(membersOf(has['latency'])),
    ...refusedRows(has),
    ...errorRows(has['lastErrors']),
    ['note', textOf(is['notice'])],
  ]
  return textTable(rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text]])))
}

function storageText(health: Members, database: Members): string | undefined {
  const storage = { ...membersOf(health['storage']), ...database }
  const durable = storage['durable']
  if (durable === undefined) return textOf(storage['backend'])
  return joined([storage['backend'], durable === true ? 'durable' : 'lost at a restart'])
}

function reasonText({ reason, code }: Members): string | undefined {
  const text = textOf(reason)
  return text === undefined || code === undefined ? text : `${text} [${textOf(code)}]`
}

function loadedText({ loadedRecords }: Members): string | undefined {
  const count = textOf(loadedRecords)
  return count === undefined ? undefined : `${count} records so far`
}

function memoryText({ memory, historyMiB }: Members): string | undefined {
  const { state, usedMiB, limitMiB } = membersOf(memory)
  if (limitMiB === undefined) return undefined
  const history = prefixed('history ', historyMiB)
  return joined([
    state,
    `${usedMiB} of ${limitMiB} MiB`,
    history === undefined ? undefined : `${history} MiB`,
  ])
}

/** Before the first load nothing is shown, so that nothing can be behind or confirmed. */
function viewRows(database: Members): Row[] {
  if (database['status'] === 'connecting' || database['status'] === 'loading') return []
  return [
    ['revision', revisionText(database)],
    ['lineage', textOf(database['lineage'])],
    ['behind', behindText(database)],
  ]
}

function revisionText({ viewRevision, headRevision, floorRevision }: Members): string | undefined {
  const head = headRevision === viewRevision ? undefined : prefixed('the database is at ', headRevision)
  const floor = floorRevision === 0 ? undefined : prefixed('history from ', floorRevision)
  return joined([viewRevision, head, floor])
}

function behindText({ lagRevisions, ageMs }: Members): string | undefined {
  if (typeof ageMs !== 'number') return undefined
  return joined([`${textOf(lagRevisions) ?? 0} revisions`, `confirmed ${ageMs} ms ago`])
}

function serverText({ server, serverUnknown }: Members): string | undefined {
  const { serverVersion, schemaVersion } = membersOf(server)
  const unknown = prefixed('not asked now: ', serverUnknown)
  return joined([serverVersion, prefixed('schema ', schemaVersion), unknown])
}

function detailRows({ details }: Members): Row[] {
  return Object.entries(membersOf(details)).map(([name, value]): Row => [`  ${name}`, textOf(value)])
}

/** A backend without connections of a kind, such as SQLite, has a pool of 0 for it, which tells nobody anything. */
function poolRows(pool: Members): Row[] {
  return Object.entries(pool).flatMap(([role, value]): Row[] => {
    const { used, idle, waiting, max } = membersOf(value)
    if (max === 0) return []
    return [[`pool ${role}`, `${used} used, ${idle} idle of ${max}; ${waiting} waiting`]]
  })
}

function latencyRows(latency: Members): Row[] {
  return Object.entries(latency).map(([operation, value]): Row => {
    const { p50Ms, p95Ms, p99Ms, count } = membersOf(value)
    return [
      `latency ${operation}`,
      `p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms (${count} ${count === 1 ? 'call' : 'calls'})`,
    ]
  })
}

function refusedRows({ refusedCount, refusedRecords }: Members): Row[] {
  if (refusedCount === undefined || refusedCount === 0) return []
  const listed = listOf(refusedRecords).map((item): Row => {
    const { kind, id, reason } = membersOf(item)
    return ['  refused', `${kind} ${id}: ${reason}`]
  })
  return [['refused records', textOf(refusedCount)], ...listed]
}

/** An outage is the same error again and again: each is told once, when it came last, and how often it did. */
function errorRows(errors: unknown): Row[] {
  const times = new Map<string, unknown[]>()
  for (const item of listOf(errors)) {
    const { at, operation, code, detail } = membersOf(item)
    const error = `${operation}: ${detail} [${code}]`
    times.set(error, [...(times.get(error) ?? []), at])
  }
  return [...times].map(([error, [last, ...more]]): Row => {
    const before = more.length === 0 ? '' : `, and ${more.length} more since ${more.at(-1)}`
    return ['last error', `${last} ${error}${before}`]
  })
}

type Members = Readonly<Record<string, unknown>>

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
}

function prefixed(prefix: string, value: unknown): string | undefined {
  const text = textOf(value)
  return text === undefined ? undefined : prefix + text
}

function joined(parts: readonly unknown[]): string | undefined {
  const texts = parts.flatMap((part) => textOf(part) ?? [])
  return texts.length === 0 ? undefined : texts.join(', ')
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** The two largest units of a number of seconds: `2 h 5 min`. */
function durationText(seconds: unknown): string | undefined {
  if (typeof seconds !== 'number') return undefined
  let rest = Math.floor(seconds)
  const parts: string[] = []
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count} ${unit}`)
  }
  return parts.slice(0, 2).join(' ')
}
