import { countOf, textTable } from './terminal/text-table.ts'

/** Answers of a coordinator of any version: a row without values is omitted. */
export interface StatusAnswers {
  readonly url: string
  readonly access?: unknown
  /** `null` if the caller may not see it. */
  readonly health: unknown
  readonly database: unknown
}

type Row = readonly [label: string, text: string | undefined]

/** `GET /access`, `GET /health` and `GET /database` as a table for people. A fault comes with its reason. */
export function renderStatus({ url, access, health, database }: StatusAnswers): string {
  const [is, has] = [membersOf(health), membersOf(database)]
  const { memory, server, historyMiB } = has
  const { state, usedMiB, limitMiB } = membersOf(memory)
  const { serverVersion, schemaVersion, details } = membersOf(server)
  const rows: Row[] = [
    ['coordinator', joined([url, known`version ${is['version']}`])],
    ...accessRows(membersOf(access)),
    [
      'status',
      health === null ? hiddenStatus : joined([is['status'], known`up ${durationText(is['uptime'])}`]),
    ],
    ['services', textOf(is['registeredServices'])],
    ['database', health !== null && database === null ? hiddenDatabase : undefined],
    ['storage', storageText({ ...membersOf(is['storage']), ...has })],
    ['state', joined([has['status'], known`since ${has['since']}`])],
    ['reason', known`${has['reason']} [${has['code']}]` ?? textOf(has['reason'])],
    ['repair', textOf(has['repair'])],
    ['loaded', known`${has['loadedRecords']} records so far`],
    ...viewRows(has),
    ['waiting writes', textOf(has['waitingWrites'])],
    ['memory', joined([state, known`${usedMiB} of ${limitMiB} MiB`, known`history ${historyMiB} MiB`])],
    [
      'server',
      joined([serverVersion, known`schema ${schemaVersion}`, known`not asked now: ${has['serverUnknown']}`]),
    ],
    ...Object.entries(membersOf(details)).map(([name, value]): Row => [`  ${name}`, textOf(value)]),
    ...Object.entries(membersOf(has['pool'])).map(poolRow),
    ...Object.entries(membersOf(has['latency'])).map(latencyRow),
    ...refusedRows(has),
    ...errorRows(has['lastErrors']),
    ['note', textOf(is['notice'])],
  ]
  return textTable(rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text]])))
}

function storageText({ backend, durable }: Members): string | undefined {
  if (durable === undefined) return textOf(backend)
  return joined([backend, durable === true ? 'durable' : 'lost at a restart'])
}

/** The rows about the live view. There are none before the first load. */
function viewRows(database: Members): Row[] {
  const { status, viewRevision, headRevision, floorRevision, lineage, lagRevisions, ageMs } = database
  if (status === 'connecting' || status === 'loading') return []
  const head = headRevision === viewRevision ? undefined : known`the database is at ${headRevision}`
  const floor = floorRevision === 0 ? undefined : known`history from ${floorRevision}`
  return [
    ['revision', joined([viewRevision, head, floor])],
    ['lineage', textOf(lineage)],
    ['behind', known`${lagRevisions ?? 0} revisions, confirmed ${ageMs} ms ago`],
  ]
}

/** A backend without connections of a kind, such as SQLite, has an empty pool for it. It gets no row. */
function poolRow([role, value]: [string, unknown]): Row {
  const { used, idle, waiting, max } = membersOf(value)
  const text = max === 0 ? undefined : `${used} used, ${idle} idle of ${max}; ${waiting} waiting`
  return [`pool ${role}`, text]
}

function latencyRow([operation, value]: [string, unknown]): Row {
  const { p50Ms, p95Ms, p99Ms, count } = membersOf(value)
  const calls = countOf(Number(count), 'call')
  return [`latency ${operation}`, `p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms (${calls})`]
}

function refusedRows({ refusedCount, refusedRecords }: Members): Row[] {
  if (refusedCount === undefined || refusedCount === 0) return []
  const listed = listOf(refusedRecords).map((item): Row => {
    const { kind, id, reason } = membersOf(item)
    return ['  refused', `${kind} ${id}: ${reason}`]
  })
  return [['refused records', textOf(refusedCount)], ...listed]
}

/** An outage repeats one error. Each error has one row: when it came last, and how often it came. */
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

const hiddenStatus = 'not shown: it needs a token with the scope read or metrics'
const hiddenDatabase = 'not shown: it needs a token with the scope metrics'

const modes: Readonly<Record<string, string>> = {
  open: 'open to everybody on this machine',
  off: 'open to everybody who reaches the port (AUTH=off)',
  required: 'a credential is required',
}

/** Who the coordinator takes the caller for, and what the caller may do. */
function accessRows({ mode, actor, scopes, expiresAt, nextStep }: Members): Row[] {
  const list = listOf(scopes).map(textOf).join(' ')
  return [
    ['access', modes[String(mode)] ?? textOf(mode)],
    ['you are', joined([actor, known`the token expires at ${expiresAt}`])],
    ['scopes', Array.isArray(scopes) ? list || 'none' : undefined],
    // On a machine of its own, a coordinator may stay open.
    ['next step', mode === 'open' ? undefined : textOf(nextStep)],
  ]
}

type Members = Readonly<Record<string, unknown>>

export function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
}

/** The text of a template, or `undefined` if the answer lacks one of its values. */
function known(texts: TemplateStringsArray, ...values: readonly unknown[]): string | undefined {
  const parts = values.map(textOf)
  return parts.includes(undefined) ? undefined : String.raw({ raw: texts }, ...parts)
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
