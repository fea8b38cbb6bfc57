import {
  hostNames,
  httpUrl,
  listenHost,
  oneOf,
  optionalSetting,
  origins,
  raw,
  setting,
  text,
  wholeNumber,
  yesOrNo,
} from './setting.ts'

interface Range {
  readonly min: number
  readonly max: number
  readonly default: number
}

const count = (unit: string, { default: fallback, ...range }: Range) =>
  ({ kind: wholeNumber(range), unit, default: fallback }) as const
const milliseconds = (range: Range) => count('milliseconds', range)

/** Not a schema of PostgreSQL or Supabase: nothing else may use or expose the schema. */
const schemaName = text(
  'a lower-case name of at most 40 letters, digits and underscores, of a schema that belongs to the coordinator alone',
  /^(?!(?:public|information_schema|pg_.*|auth|storage|realtime|vault|extensions|graphql|graphql_public|pgbouncer|supabase_.*)$)[a-z_][a-z0-9_]{0,39}$/,
)

/** Every setting, in the sections of docs/settings.md. The names on the left are those of `Settings`. */
export const settingsTable = {
  server: {
    host: setting('HOST', {
      kind: listenHost(),
      default: '127.0.0.1',
      description:
        'Address to listen on. `0.0.0.0` and `::` mean all of them: there is no authentication yet, so keep the port inside a network you trust.',
    }),
    port: setting('PORT', {
      kind: wholeNumber({ min: 0, max: 65_535 }),
      default: 3000,
      description: 'Port to listen on. `0` takes a free one, which the log names.',
    }),
    allowedHosts: setting('ALLOWED_HOSTS', {
      kind: hostNames(),
      default: [],
      defaultLabel: 'none',
      description:
        'Additional host names (the request header `Host`) that the coordinator answers to. It always answers to IP addresses, `localhost`, `*.localhost` and `*.internal`. If HOST is not a loopback address, it also answers to names without a dot, `*.svc`, `*.svc.cluster.local` and HOST itself. Other names get 421, because a hostile web page can point its own name to this address (DNS rebinding).',
    }),
    allowedOrigins: setting('ALLOWED_ORIGINS', {
      kind: origins(),
      default: [],
      defaultLabel: 'none',
      description:
        'Origins of web pages that may use the coordinator from a browser. Pages of other origins can neither change nor read anything.',
    }),
    connectionsMax: setting('CONNECTIONS_MAX', {
      ...count('connections', { min: 10, max: 1_000_000, default: 10_000 }),
      description:
        'How many connections clients may have at the same time. A low limit of open files lowers this number, because the coordinator keeps some descriptors for the database. Further connections get 503.',
    }),
    bodiesMaxBytes: setting('BODIES_MAX_BYTES', {
      ...count('bytes', { min: 4_194_304, max: 1_073_741_824, default: 134_217_728 }),
      description:
        'How much memory request bodies may take while they arrive. One client (an IPv4 address, or the first 64 bits of an IPv6 address) may use a quarter of it. Requests beyond that get 503.',
    }),
    shutdownTimeoutMs: setting('SHUTDOWN_TIMEOUT_MS', {
      ...milliseconds({ min: 0, max: 600_000, default: 10_000 }),
      description:
        'How long a stop may take. The coordinator answers its requests and commits waiting writes. After this time it cuts off the rest.',
    }),
    unsentMaxMib: setting('UNSENT_MAX_MIB', {
      ...count('MiB', { min: 8, max: 65_536, default: 64 }),
      description:
        'How much memory answers may take while they wait for clients that read slowly. Further answers wait. In the meantime, the coordinator closes the connections of clients that have read nothing for 5 seconds.',
    }),
    streamsMax: setting('STREAMS_MAX', {
      ...count('streams', { min: 1, max: 1_000, default: 8 }),
      description:
        'How many streams of the whole state (`GET /snapshot`, JSON lines of services, exports of the graph) may be open at the same time. Further ones get 503.',
    }),
    logLevel: setting('LOG_LEVEL', {
      kind: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
      default: 'info',
      description: 'The lowest level that is logged.',
    }),
    logFormat: setting('LOG_FORMAT', {
      kind: oneOf(['auto', 'json', 'pretty']),
      default: 'auto',
      description:
        '`json` is one object on each line. `pretty` is for people. `auto` means `pretty` on a terminal, and `json` elsewhere.',
    }),
    logRequests: setting('LOG_REQUESTS', {
      kind: yesOrNo(),
      default: false,
      description:
        'Logs a line for each request at level `info`. It costs about an eighth of the request rate.',
    }),
  },
  database: {
    databaseUrl: optionalSetting('DATABASE_URL', {
      kind: raw('`sqlite:PATH`, `postgres://...` (several hosts may be given) or `memory:`'),
      defaultLabel: 'the Supabase project if one is set; else in memory',
      secret: true,
      description: 'The database that keeps the records. It takes precedence over the Supabase variables.',
    }),
    databaseSchema: setting('DATABASE_SCHEMA', {
      kind: schemaName,
      default: 'coordinator',
      description:
        'Schema of the tables in PostgreSQL and Supabase. Coordinators with different schemas share nothing.',
    }),
    autoMigrate: setting('AUTO_MIGRATE', {
      kind: yesOrNo(),
      default: true,
      description:
        'Brings the schema up to date at start (SQLite and PostgreSQL). With `false`, and always over the Data API of Supabase, an old schema ends the start.',
    }),
    databasePoolMax: setting('DATABASE_POOL_MAX', {
      ...count('connections', { min: 3, max: 100, default: 4 }),
      description:
        'Connections of this coordinator to PostgreSQL or to the Data API: one writes, one follows the changes of others, the rest answer questions about the past.',
    }),
    databaseConnectTimeoutMs: setting('DATABASE_CONNECT_TIMEOUT_MS', {
      ...milliseconds({ min: 100, max: 120_000, default: 5_000 }),
      description: 'How long it may take to open a connection.',
    }),
    databaseAcquireTimeoutMs: setting('DATABASE_ACQUIRE_TIMEOUT_MS', {
      ...milliseconds({ min: 100, max: 120_000, default: 5_000 }),
      description: 'How long a call may wait for a free connection.',
    }),
    databaseStatementTimeoutMs: setting('DATABASE_STATEMENT_TIMEOUT_MS', {
      ...milliseconds({ min: 100, max: 600_000, default: 10_000 }),
      description: 'How long one call of the database may take, including its answer.',
    }),
  },
  supabase: {
    supabaseUrl: optionalSetting('SUPABASE_URL', {
      kind: raw('the URL of the project, such as `https://PROJECT.supabase.co`'),
      description:
        'The Supabase project that keeps the records, through its Data API. Needs one of the keys below.',
    }),
    supabaseServiceKey: optionalSetting('SUPABASE_SERVICE_ROLE_KEY', {
      aliases: ['SUPABASE_SECRET_KEY'],
      kind: raw('a key: `sb_secret_...`, or the older JWT `eyJ...`'),
      secret: true,
      description: 'The secret key of the project.',
    }),
    supabaseAnonKey: optionalSetting('SUPABASE_ANON_KEY', {
      aliases: ['SUPABASE_PUBLISHABLE_KEY'],
      kind: raw('a key: `sb_publishable_...`, or the older JWT `eyJ...`'),
      secret: true,
      description:
        'The public key of the project, used if no secret key is set. It can store records only if the schema was migrated with `--allow-anon` on purpose. Everybody who has this key can then write.',
    }),
  },
  live: {
    commitTimeoutMs: setting('COMMIT_TIMEOUT_MS', {
      ...milliseconds({ min: 100, max: 600_000, default: 10_000 }),
      description: 'How long a write may take, including retries. After that it gets 503.',
    }),
    commitQueueMax: setting('COMMIT_QUEUE_MAX', {
      ...count('writes', { min: 1, max: 1_000_000, default: 20_000 }),
      description: 'How many writes may wait for the database. Further writes get 503 at once.',
    }),
    questionTimeoutMs: setting('QUESTION_TIMEOUT_MS', {
      ...milliseconds({ min: 100, max: 600_000, default: 10_000 }),
      description:
        'How long a question may take from its arrival to the first byte of its answer. A question that takes longer gets 503 `COORD_QUESTION_TOO_LARGE`. Waiting for changes (`wait`) does not count.',
    }),
    pastQuestionTimeoutMs: setting('PAST_QUESTION_TIMEOUT_MS', {
      ...milliseconds({ min: 100, max: 3_600_000, default: 60_000 }),
      description:
        'The same limit for questions about the past, and for deriving the graph again (`rebuild`).',
    }),
    pollMinMs: setting('POLL_MIN_MS', {
      ...milliseconds({ min: 10, max: 60_000, default: 100 }),
      description:
        'The pause between two questions about the changes of other coordinators, while there are changes.',
    }),
    pollMaxMs: setting('POLL_MAX_MS', {
      ...milliseconds({ min: 10, max: 600_000, default: 500 }),
      defaultFor: { supabase: 2_000 },
      description: 'The same pause while there are no changes.',
    }),
    journalKeepHours: setting('JOURNAL_KEEP_HOURS', {
      ...count('hours', { min: 24, max: 876_000, default: 720 }),
      defaultFor: { memory: 0 },
      defaultLabel: '`720`; no such rule in memory',
      description:
        'History younger than this is kept, for `asOf`, histories and clients that follow the journal.',
    }),
    journalKeepRevisions: setting('JOURNAL_KEEP_REVISIONS', {
      ...count('revisions', { min: 1, max: 1_000_000_000, default: 100_000 }),
      defaultFor: { memory: 10_000 },
      description: 'This many of the newest revisions are kept, however old they are.',
    }),
    journalMemoryMib: optionalSetting('JOURNAL_MEMORY_MIB', {
      kind: wholeNumber({ min: 1, max: 1_000_000 }),
      unit: 'MiB',
      defaultLabel: 'a quarter of the heap, at most 256',
      description:
        'How much memory the history may take if no database is set. Beyond it, the coordinator deletes the oldest revisions, even if the other JOURNAL settings would keep them. It has no effect with a database.',
    }),
  },
  client: {
    coordinatorUrl: optionalSetting('COORDINATOR_URL', {
      kind: httpUrl(),
      defaultLabel: '`http://127.0.0.1:PORT`',
      description: 'The coordinator that the commands talk to.',
    }),
  },
}
