import { claimPath, filePath, jwtIssuer, keysUrl, moment, networks, secret } from './access-kinds.ts'
import { backupTable } from './backup-table.ts'
import {
  hostNames,
  httpUrl,
  listenHost,
  listOf,
  oneOf,
  optionalSetting,
  origins,
  raw,
  type SettingValue,
  setting,
  text,
  wholeNumber,
  yesOrNo,
} from './setting.ts'
import { snapshotTable } from './snapshot-table.ts'

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

/** A secret that clients send in a header. Shorter ones could be guessed. */
const tokenSecret = secret(
  'a secret of 32 to 1024 visible ASCII characters, such as `openssl rand -base64 32` prints',
  /^[\x21-\x7e]{32,1024}$/,
)

/** Every setting, in the sections of docs/settings.md. The names on the left are those of `Settings`. */
export const settingsTable = {
  server: {
    host: setting('HOST', {
      kind: listenHost(),
      default: '127.0.0.1',
      description:
        'Address to listen on. `0.0.0.0` and `::` mean all of them. An address that other machines can reach needs `AUTH`.',
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
    basePath: optionalSetting('BASE_PATH', {
      kind: text('a path such as `/coordinator`, without a slash at its end', /^(?:\/[\w~-][\w.~-]*){1,16}$/),
      description:
        'The path of the coordinator behind a proxy, if it does not have a host name of its own. The proxy may remove the path or leave it: the coordinator answers to both. Links to records (`Location`, `/openapi.json`) have it. Pages need no setting, because their links are relative.',
    }),
    console: setting('CONSOLE', {
      kind: yesOrNo(),
      default: true,
      description:
        'Serves the console at `/console/`, and sends browsers there that open `/`. With `false`, `/` is a page with links.',
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
  access: {
    auth: optionalSetting('AUTH', {
      kind: oneOf(['required', 'off']),
      defaultLabel: 'open to this machine; refused if HOST is not a loopback address',
      description:
        'Who may use the coordinator. `required`: only who sends a credential, except for what `AUTH_ANONYMOUS` allows, and a few paths without state, such as `/health/live` and `/docs`. `off`: everybody who reaches the port may change everything. If it is not set, the coordinator listens on a loopback address only, everything on this machine may change everything, and requests that a proxy has forwarded get 403.',
    }),
    authAnonymous: setting('AUTH_ANONYMOUS', {
      kind: oneOf(['none', 'read']),
      default: 'none',
      description: 'What requests without a credential may do with `AUTH=required`.',
    }),
    authAdminToken: optionalSetting('AUTH_ADMIN_TOKEN', {
      kind: tokenSecret,
      secret: true,
      description:
        'A credential that may do everything while it is set. It creates the first tokens (`coordinator token create`). Afterwards it can be unset.',
    }),
    authMetricsToken: optionalSetting('AUTH_METRICS_TOKEN', {
      kind: tokenSecret,
      secret: true,
      description: 'A credential that may only read `/metrics`, `/database` and `/health`.',
    }),
    authNotBefore: optionalSetting('AUTH_NOT_BEFORE', {
      kind: moment(),
      description:
        'Tokens and JWTs that were issued earlier are refused. After a backup was restored, set it to the time of the restore: the backup may contain tokens that were revoked later.',
    }),
    authJwtIssuer: optionalSetting('AUTH_JWT_ISSUER', {
      kind: jwtIssuer(),
      description:
        'Accepts JWTs whose claim `iss` is exactly this URL. `supabase` accepts the users of the project in `SUPABASE_URL`, and needs neither an audience nor a URL of keys.',
    }),
    authJwtAudience: optionalSetting('AUTH_JWT_AUDIENCE', {
      kind: text('a text without spaces, of at most 255 characters', /^[\x21-\x7e]{1,255}$/),
      defaultLabel: '`authenticated` with `AUTH_JWT_ISSUER=supabase`; else none',
      description: 'The claim `aud` of JWTs must contain it. Needed for every other issuer.',
    }),
    authJwksUrl: optionalSetting('AUTH_JWKS_URL', {
      kind: keysUrl(),
      defaultLabel: 'the one that the issuer names (OpenID Connect Discovery); none with `AUTH_JWT_SECRET`',
      description: 'Where the public keys are that sign JWTs with ES256, RS256 or EdDSA.',
    }),
    authJwtSecret: optionalSetting('AUTH_JWT_SECRET', {
      kind: secret('a secret of at least 32 characters', /^[^\p{Cc}]{32,4096}$/u),
      secret: true,
      description:
        'The secret that signs JWTs with HS256. Without it, HS256 is refused. Everybody who has it can sign JWTs with every scope.',
    }),
    authJwtScopeClaim: setting('AUTH_JWT_SCOPE_CLAIM', {
      kind: claimPath(),
      default: 'scope',
      description:
        'The claim with the scopes of a JWT: a text with spaces between them, or a list. A path such as `app_metadata.coordinator` names a member inside a claim. Claims under `user_metadata` end the start, because users can change these themselves.',
    }),
    trustedProxies: setting('TRUSTED_PROXIES', {
      kind: networks(),
      default: [],
      defaultLabel: 'none',
      description:
        'Proxies whose header `X-Forwarded-For` is believed. The address of the client is then the last one in it that is not a proxy. It appears in the log and as actor, and counts for limits. It never gives rights.',
    }),
    limitWritesPerSecond: optionalSetting('LIMIT_WRITES_PER_SECOND', {
      kind: wholeNumber({ min: 1, max: 1_000_000 }),
      unit: 'writes',
      defaultLabel: 'no limit',
      description:
        'How many writes each credential may send in a second; where none is needed, each address. Each item of a batch counts. Further ones get 429.',
    }),
    limitStreams: optionalSetting('LIMIT_STREAMS', {
      kind: wholeNumber({ min: 1, max: 1_000_000 }),
      unit: 'streams',
      defaultLabel: 'no limit',
      description:
        'How many streams and waiting questions each credential may have open at the same time; where none is needed, each address. Further ones get 429.',
    }),
    tlsCertFile: optionalSetting('TLS_CERT_FILE', {
      kind: filePath(),
      description:
        'The certificate of the server, followed by those between it and the authority. With it, the coordinator speaks HTTPS only, TLS 1.2 or later. It reads both files again when they change.',
    }),
    tlsKeyFile: optionalSetting('TLS_KEY_FILE', {
      kind: filePath(),
      description: 'The private key of the certificate, not encrypted.',
    }),
  },
  database: {
    databaseUrl: optionalSetting('DATABASE_URL', {
      kind: raw('`sqlite:PATH`, `postgres://...` (several hosts may be given) or `memory:`'),
      defaultLabel: 'the Supabase project if one is set; else in memory',
      secret: true,
      description:
        'The database that keeps the records. It takes precedence over the Supabase variables. A `postgres:` URL means what it means to `psql`, with the variables `PG*` for what it leaves open ([postgres.md](postgres.md#the-connection-string)).',
    }),
    databaseReplicas: optionalSetting('DATABASE_REPLICAS', {
      kind: raw('at most 16 `postgres://...` URLs with white space between them'),
      defaultLabel: 'none',
      secret: true,
      description:
        'Servers that copy the PostgreSQL database of `DATABASE_URL` by streaming replication, for the reads of `DATABASE_REPLICA_READS` ([postgres.md](postgres.md#replicas)). Each URL names one replica, or several hosts of which a standby is preferred. Whatever a replica does not have yet, the database of `DATABASE_URL` answers.',
    }),
    databaseReplicaReads: setting('DATABASE_REPLICA_READS', {
      kind: listOf(['load', 'asOf', 'history']),
      default: ['load', 'asOf', 'history'],
      defaultLabel: '`load, asOf, history`',
      description:
        'What replicas answer: `load` is all records, at start; `asOf` is questions about the past; `history` is the changes of one record. It has no effect without `DATABASE_REPLICAS`.',
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
    expectSyncStandby: setting('EXPECT_SYNC_STANDBY', {
      kind: yesOrNo(),
      default: false,
      description:
        'Whether `coordinator doctor` reports a PostgreSQL whose commits wait for no standby. Only that command reads it.',
    }),
    expectFailoverMs: setting('EXPECT_FAILOVER_MS', {
      ...milliseconds({ min: 1_000, max: 600_000, default: 30_000 }),
      description:
        'How long the cluster of the database may need until another server is the primary: with Patroni, its `ttl`. `coordinator doctor` compares it with `COMMIT_TIMEOUT_MS` if `DATABASE_URL` names several hosts, or `EXPECT_SYNC_STANDBY` is `true`. Only that command reads it.',
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
  backup: backupTable,
  snapshot: snapshotTable,
  client: {
    coordinatorUrl: optionalSetting('COORDINATOR_URL', {
      kind: httpUrl(),
      defaultLabel: '`http://127.0.0.1:PORT`; `https://localhost:PORT` with `TLS_CERT_FILE`',
      description: 'The coordinator that the commands talk to.',
    }),
    coordinatorToken: optionalSetting('COORDINATOR_TOKEN', {
      kind: secret('a token: visible ASCII characters without spaces', /^[\x21-\x7e]{1,8192}$/),
      secret: true,
      description: 'The credential that the commands send: a token, a JWT, or the value of AUTH_ADMIN_TOKEN.',
    }),
    coordinatorNamespace: optionalSetting('COORDINATOR_NAMESPACE', {
      kind: text('a namespace: 1 to 63 lower-case letters, digits and dashes', /^[a-z0-9-]{1,63}$/),
      defaultLabel: 'every namespace for commands that read, `default` for those that write',
      description: 'The namespace that the commands mean where `--namespace` is not given.',
    }),
  },
}

/** The values of a section. */
export type SectionValues<S> = { readonly [K in keyof S]: SettingValue<S[K]> }
