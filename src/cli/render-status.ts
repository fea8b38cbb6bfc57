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

/** Rows under a heading. A group without rows is omitted. */
type Group = readonly [heading: string, rows: readonly Row[]]

/**
 * `GET /access`, `GET /health` and `GET /database` for people: what they need first, then groups. A fault comes with its reason.
 *
 * @param wide whether everything is shown that is known about the database
 */
export function renderStatus({ url, access, health, database }: StatusAnswers, wide = false): string {
  const [is, has] = [membersOf(health), membersOf(database)]
  const first: Row[] = [
    ['coordinator', joined([url, known`version ${is['version']}`])],
    [
      'health',
      health === null ? hiddenHealth : joined([is['status'], known`up ${durationText(is['uptime'])}`]),
    ],
    ['services', textOf(is['registeredServices'])],
    ['note', textOf(is['notice'])],
  ]
  const groups: Group[] = [
    ['Access', accessRows(membersOf(access))],
    [
      'Database',
      [
        ...databaseRows(is, has),
        ['more', health !== null && database === null ? hiddenDatabase : undefined],
        ...refusedRows(has),
        ...errorRows(has['lastErrors']),
      ],
    ],
    ['Replicas', replicaRows(has, wide)],
    ['Backups', backupRows(membersOf(is['backup'] ?? has['backup']))],
    ...(wide ? wideGroups(has) : []),
  ]
  const texts = groups.map(([heading, rows]) => {
    const text = rowsText(rows.map(([label, value]): Row => [`  ${label}`, value]))
    return text === '' ? '' : `\n${heading}\n${text}`
  })
  return rowsText(first) + texts.join('')
}

function rowsText(rows: readonly Row[]): string {
  return textTable(rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text]])))
}

function databaseRows(is: Members, has: Members): Row[] {
  const { memory, historyMiB, waitingWrites } = has
  const { state, usedMiB, limitMiB } = membersOf(memory)
  const { details } = membersOf(has['server'])
  const file = membersOf(details)['file']
  return [
    ['kept in', storageText({ ...membersOf(is['storage']), ...has, file })],
    ['state', joined([has['status'], known`since ${has['since']}`])],
    ['records of', known`a snapshot of ${has['snapshotAt']}`],
    ['reason', known`${has['reason']} [${has['code']}]` ?? textOf(has['reason'])],
    ['repair', textOf(has['repair'])],
    ['loaded', known`${has['loadedRecords']} records so far`],
    ...viewRows(has),
    [
      'waiting',
      waitingWrites === 0 ? undefined : known`${waitingWrites} ${waitingWrites === 1 ? 'write' : 'writes'}`,
    ],
    ['memory', joined([state, known`${usedMiB} of ${limitMiB} MiB`, known`history ${historyMiB} MiB`])],
  ]
}

const backends: Readonly<Record<string, string>> = {
  memory: 'memory',
  sqlite: 'a SQLite file',
  postgres: 'PostgreSQL',
  supabase: 'Supabase',
}

function storageText({ backend, durable, file }: Members): string | undefined {
  const name = backends[String(backend)] ?? textOf(backend)
  const place = file === undefined ? name : `${name}, ${textOf(file)}`
  if (durable === undefined) return place
  return joined([place, durable === true ? 'durable' : 'lost at a restart'])
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

/** Without BACKUP_URL there are none. */
function backupRows({
  url,
  state,
  reason,
  code,
  drill,
  unarchivedRevisions,
  unarchivedSeconds,
  ...rest
}: Members): Row[] {
  const { ok, at, checked, detail } = membersOf(drill)
  return [
    ['archive', textOf(url)],
    ['state', joined([state, known`${unarchivedRevisions} revisions missing`])],
    ['missing for', unarchivedSeconds === 0 ? undefined : known`${durationText(unarchivedSeconds)}`],
    ['reason', known`${reason} [${code}]` ?? textOf(reason)],
    ['complete at', textOf(rest['lastSuccessAt'])],
    ['last base', textOf(rest['baseAt'])],
    ['gaps', rest['gaps'] === 0 ? undefined : textOf(rest['gaps'])],
    ['drill', joined([ok === undefined ? undefined : ok ? 'passed' : 'FAILED', at, checked, detail])],
  ]
}

/** Without DATABASE_REPLICAS there are none. */
function replicaRows({ replicas, replicaReads }: Members, wide: boolean): Row[] {
  const reads = Object.entries(membersOf(replicaReads))
  const sum = (outcome: string) => reads.reduce((all, [, counts]) => all + countIn(counts, outcome), 0)
  const [answered, primary] = [sum('answered'), sum('primary')]
  return [
    ...listOf(replicas).map((replica, at): Row => [`replica ${at}`, replicaText(membersOf(replica))]),
    ['reads', reads.length === 0 ? undefined : `${answered} by replicas, ${primary} by the primary`],
    ...(wide ? reads.map(readsRow) : []),
    ...(wide ? listOf(replicas).map(replicaPoolRow) : []),
  ]
}

function replicaText({ host, role, state, revision, lagRevisions, answeredAt, failure }: Members) {
  const { code, detail } = membersOf(failure)
  const is = role === 'primary' ? 'PRIMARY (promoted, or never a replica)' : role
  if (failure !== undefined)
    return `${host}: ${known`no answer since ${answeredAt}` ?? 'it has never answered'}. ${detail} [${code}]`
  return joined([
    host,
    ...(role === 'unknown' ? [] : [is]),
    state === 'other_history' ? 'ANOTHER HISTORY (not read from)' : behindText(lagRevisions),
    revision === undefined ? 'not asked yet' : known`answered ${agoText(answeredAt)} ago`,
  ])
}

function behindText(revisions: unknown): string | undefined {
  if (typeof revisions !== 'number') return undefined
  return revisions === 0 ? 'up to date' : `${countOf(revisions, 'revision')} behind`
}

function agoText(at: unknown): string | undefined {
  const since = Date.parse(String(at))
  // The clock of this machine may be behind that of the coordinator.
  return Number.isNaN(since) ? undefined : durationText(Math.max(0, Date.now() - since) / 1_000)
}

/** Why replicas were passed over, for one kind of read. */
function readsRow([operation, counts]: [string, unknown]): Row {
  const passed = [
    ['behind', 'behind'],
    ['other_history', 'with another history'],
    ['failed', 'failed'],
  ] as const
  const text = passed.map(([outcome, words]) => `${countIn(counts, outcome)} ${words}`).join(', ')
  const [answered, primary] = [countIn(counts, 'answered'), countIn(counts, 'primary')]
  return [operation, `${answered} by replicas, ${primary} by the primary; passed over: ${text}`]
}

function countIn(counts: unknown, outcome: string): number {
  return Number(membersOf(counts)[outcome] ?? 0)
}

function replicaPoolRow(replica: unknown, at: number): Row {
  return poolRow([`connections to ${at}`, membersOf(replica)['connections'] ?? { max: 0 }])
}

/** What only people want to see who look for a cause. */
function wideGroups(database: Members): Group[] {
  const { server, serverUnknown, waitingWrites, pool, latency } = database
  const { serverVersion, schemaVersion, details } = membersOf(server)
  const program = database['backend'] === 'sqlite' ? 'SQLite' : 'server'
  return [
    [
      'More about the database',
      [
        ['schema', textOf(schemaVersion)],
        [`${program} version`, textOf(serverVersion)],
        ['not asked now', textOf(serverUnknown)],
        ['waiting writes', textOf(waitingWrites)],
        ...Object.entries(membersOf(details)).map(detailRow),
      ],
    ],
    ['Connections', Object.entries(membersOf(pool)).map(poolRow)],
    ['Time that calls take', Object.entries(membersOf(latency)).map(latencyRow)],
  ]
}

/** Facts whose name in the program says little. */
const detailNames: Readonly<Record<string, string>> = {
  atAheadMs: 'journal ahead of the clock by',
  walBytes: 'write-ahead log',
  freeBytes: 'free in the file',
  headHolder: 'transaction that holds the head',
}

/** A fact under the name that it has in the program, as people read it: `fileBytes` is the file size. */
function detailRow([name, value]: [string, unknown]): Row {
  const words = detailNames[name] ?? name.replaceAll(/[A-Z]+/g, (letters) => ` ${letters.toLowerCase()}`)
  if (typeof value !== 'number')
    return [words, typeof value === 'boolean' ? (value ? 'yes' : 'no') : textOf(value)]
  if (name.endsWith('Bytes')) return [words.replace(/ bytes$/, ' size'), sizeText(value)]
  return name.endsWith('Ms') ? [words.replace(/ ms$/, ''), `${value} ms`] : [words, String(value)]
}

function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} bytes`
  const mebibytes = bytes / 1_048_576
  return mebibytes < 1 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${mebibytes.toFixed(1)} MiB`
}

/** A backend without connections of a kind, such as SQLite, has an empty pool for it. It gets no row. */
function poolRow([role, value]: [string, unknown]): Row {
  const { used, idle, waiting, max } = membersOf(value)
  return [role, max === 0 ? undefined : `${used} used, ${idle} idle of ${max}; ${waiting} waiting`]
}

function latencyRow([operation, value]: [string, unknown]): Row {
  const { p50Ms, p95Ms, p99Ms, count } = membersOf(value)
  const calls = countOf(Number(count), 'call')
  return [operation, `half within ${p50Ms} ms, 95 % within ${p95Ms} ms, 99 % within ${p99Ms} ms (${calls})`]
}

function refusedRows({ refusedCount, refusedRecords }: Members): Row[] {
  if (refusedCount === undefined || refusedCount === 0) return []
  const listed = listOf(refusedRecords).map((item): Row => {
    const { kind, id, reason } = membersOf(item)
    return ['', `${kind} ${id}: ${reason}`]
  })
  return [['refused', known`${refusedCount} records, which are not served`], ...listed]
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

const hiddenHealth = 'not shown: it needs a token with the scope read or metrics'
const hiddenDatabase = 'not shown: it needs a token with the scope metrics'

const modes: Readonly<Record<string, string>> = {
  open: 'everybody on this machine',
  off: 'everybody who reaches the port (AUTH=off)',
  required: 'those with a credential',
}

/** Who the coordinator takes the caller for, and what the caller may do. */
function accessRows({ mode, actor, scopes, expiresAt, nextStep }: Members): Row[] {
  const list = listOf(scopes).map(textOf).join(' ')
  return [
    ['open to', modes[String(mode)] ?? textOf(mode)],
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
