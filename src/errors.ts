/** The row of the table for one error code. */
export interface ErrorEntry {
  /** A short, constant text for people. The part that varies goes into `detail`. */
  readonly title: string
  /** HTTP status of an answer that carries this code. */
  readonly status: number
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean
  /** The next step: a command to run, a setting to change, a request to send. */
  readonly hint: string
  /** The next step for the operator of the coordinator, if the hint is only for clients. @default the hint */
  readonly repair?: string
  /** Exit code of a process that ends because of this error. @default 1 */
  readonly exit?: number
}

const retry = { status: 503, retryable: true, exit: 69 } as const
const badRequest = { status: 400, retryable: false } as const
const config = { status: 500, retryable: false, exit: 78 } as const
const file = { status: 503, retryable: false, exit: 74 } as const
const unproven = { status: 401, retryable: false, exit: 77 } as const

/**
 * Every error code of the coordinator. Codes have the form `COORD_<AREA>_<FAULT>`. They are stable, and never get another meaning.
 * `docs/errors.md` is generated from this table.
 */
export const ERRORS = {
  // The request as HTTP and JSON
  COORD_BODY_NOT_JSON: {
    ...badRequest,
    title: 'The body is not JSON',
    hint: 'Send one JSON object; check it with `jq . < body.json`.',
  },
  COORD_BODY_MEDIA_TYPE: {
    status: 415,
    retryable: false,
    title: 'The content type is not supported',
    hint: 'Send JSON with the header `Content-Type: application/json`; a PATCH may also be `application/merge-patch+json`.',
  },
  COORD_BODY_TOO_LARGE: {
    status: 413,
    retryable: false,
    title: 'The body is too large',
    hint: 'Send at most 1 MiB, and no more values than `detail` allows; split a batch into several requests.',
  },
  COORD_BODY_TOO_DEEP: {
    ...badRequest,
    title: 'The body is nested too deeply',
    hint: 'Nest at most 32 levels of objects and arrays.',
  },
  COORD_BODY_WRONG_TYPE: {
    ...badRequest,
    title: 'A field has the wrong type',
    hint: 'Compare the body with its description at `/docs`. For a registration, `GET /register` shows every field with its type.',
  },
  COORD_FIELD_MISSING: {
    ...badRequest,
    title: 'A required field is missing',
    hint: 'Add the field named in `errors`; `/docs` describes the body.',
  },
  COORD_FIELD_INVALID: {
    ...badRequest,
    title: 'A field has a value that is not allowed',
    hint: 'Change the field named in `errors`; `/docs` describes the body.',
  },
  COORD_FIELD_TOO_LARGE: {
    ...badRequest,
    title: 'A field exceeds its limit',
    hint: 'Shorten the field named in `errors` to the limit given there.',
  },
  COORD_TEXT_NUL: {
    ...badRequest,
    title: 'A text holds the character NUL',
    hint: 'Remove U+0000 from the text named in `errors`; no database can store it.',
  },
  COORD_TEXT_SURROGATE: {
    ...badRequest,
    title: 'A text holds half of a surrogate pair',
    hint: 'Send well-formed Unicode. Check how the client cuts strings.',
  },
  COORD_NUMBER_TOO_LARGE: {
    ...badRequest,
    title: 'A number is too large to be kept exactly',
    hint: 'Send the number named in `errors` as text, in quotes. Numbers may be from -(2^53 - 1) to 2^53 - 1.',
  },
  COORD_KEY_FORBIDDEN: {
    ...badRequest,
    title: 'An object has a forbidden key',
    hint: 'Rename the key: `__proto__` is refused everywhere in a body.',
  },
  COORD_NAME_EMPTY: {
    ...badRequest,
    title: 'serviceName is empty',
    hint: 'Send a `serviceName` of 1 to 255 characters.',
  },
  COORD_NAME_TOO_LONG: {
    ...badRequest,
    title: 'serviceName is too long',
    hint: 'Send a `serviceName` of 1 to 255 characters.',
  },
  COORD_VERSION_EMPTY: {
    ...badRequest,
    title: 'version is empty',
    hint: 'Send a `version` of 1 to 128 characters, such as `1.0.0`.',
  },
  COORD_VERSION_TOO_LONG: {
    ...badRequest,
    title: 'version is too long',
    hint: 'Send a `version` of 1 to 128 characters, such as `1.0.0`.',
  },
  COORD_ENDPOINT_NOT_URL: {
    ...badRequest,
    title: 'endpoint is not a URL',
    hint: 'Send an absolute URL such as `http://cart:7070`.',
  },
  COORD_ENDPOINT_RELATIVE: {
    ...badRequest,
    title: 'endpoint is not absolute',
    hint: 'Send scheme and host too, such as `http://cart:7070/api`.',
  },
  COORD_ENDPOINT_SCHEME: {
    ...badRequest,
    title: 'endpoint has a scheme that is not allowed',
    hint: 'Use the scheme of the transport, such as `http:`, `grpc:`, `tcp:`, `redis:` or `postgres:`.',
  },
  COORD_ENDPOINT_CREDENTIALS: {
    ...badRequest,
    title: 'endpoint holds credentials',
    hint: 'Remove `user:password@` from the URL: the registry shows it to everybody who may read.',
  },
  COORD_ENDPOINT_TOO_LONG: {
    ...badRequest,
    title: 'endpoint is too long',
    hint: 'Send a URL of at most 2,048 characters.',
  },
  COORD_TAGS_TOO_MANY: { ...badRequest, title: 'There are too many tags', hint: 'Send at most 64 tags.' },
  COORD_QUERY_INVALID: {
    ...badRequest,
    exit: 2,
    title: 'A query parameter is not valid',
    hint: 'Correct the parameter named in `errors`; `/docs` lists all parameters.',
  },
  COORD_HEADER_INVALID: {
    ...badRequest,
    title: 'A request header is not valid',
    hint: 'Correct the header named in `errors`; `/docs` shows its format.',
  },
  COORD_CURSOR_INVALID: {
    ...badRequest,
    title: 'The cursor is not valid, or belongs to other filters',
    hint: 'Start again without `cursor`, and use the same filters for each page.',
  },
  COORD_URL_MALFORMED: {
    ...badRequest,
    title: 'The URL cannot be decoded',
    hint: 'Percent-encode the path and the query string as UTF-8. Write a percent sign as %25.',
  },
  COORD_REQUEST_MALFORMED: {
    ...badRequest,
    title: 'The request is not valid HTTP',
    hint: 'Check the client or the proxy in front of the coordinator.',
  },
  COORD_ROUTE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'There is no such path',
    hint: 'See `/docs` for every path.',
  },
  COORD_CONSOLE_NOT_BUILT: {
    status: 404,
    retryable: false,
    title: 'The console is not built',
    hint: 'Run `npm ci` in the folder of the coordinator, or `npm run build:console` if everything is installed. `CONSOLE=false` switches the console off.',
  },
  COORD_METHOD_NOT_ALLOWED: {
    status: 405,
    retryable: false,
    title: 'The path does not support this method',
    hint: 'Use a method from the `Allow` header.',
  },
  COORD_HEADERS_TOO_LARGE: {
    status: 431,
    retryable: false,
    title: 'The request headers are too large',
    hint: 'Send a path, query string and headers of at most 16 KiB together.',
  },
  COORD_HOST_NOT_ALLOWED: {
    status: 421,
    retryable: false,
    title: 'The coordinator does not answer to this host name',
    hint: 'Use its IP address or `localhost`, or add the host name, without its port, to the setting ALLOWED_HOSTS and restart the coordinator.',
  },
  COORD_ORIGIN_NOT_ALLOWED: {
    status: 403,
    retryable: false,
    title: 'Web pages of this origin may not do that',
    hint: 'If the page is yours, add its origin, such as `https://app.example.org`, to the setting ALLOWED_ORIGINS and restart the coordinator.',
  },
  COORD_EXPECTATION_UNKNOWN: {
    status: 417,
    retryable: false,
    title: 'The value of the header Expect is not supported',
    hint: 'Send the request without `Expect`, or with `Expect: 100-continue`.',
  },
  COORD_RECEIVE_FULL: {
    ...retry,
    title: 'Too many request bodies are arriving at once',
    hint: 'Send the request again after `Retry-After`, and send fewer requests at the same time.',
    repair: 'If the machine has free memory, raise BODIES_MAX_BYTES.',
  },
  COORD_CONNECTIONS_FULL: {
    ...retry,
    title: 'Clients have too many connections open',
    hint: 'Connect again after `Retry-After`, and send several requests over each connection.',
    repair: 'Raise CONNECTIONS_MAX and the limit of open files (`ulimit -n`, or LimitNOFILE of systemd).',
  },
  COORD_REQUEST_TIMEOUT: {
    status: 408,
    retryable: true,
    title: 'The request did not arrive in time',
    hint: 'Send the whole request without long pauses.',
  },

  // Registry
  COORD_SERVICE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such service is registered',
    hint: 'List the registered services with `GET /services`, or register the service with `POST /register`.',
  },
  COORD_PRECONDITION_FAILED: {
    status: 412,
    retryable: false,
    title: 'The record does not meet the condition of the request',
    hint: 'Read the record again. If it exists, send its `ETag` as `If-Match`, without `W/` before it: a weak one never matches. If it does not, omit `If-Match`.',
  },
  COORD_LINEAGE_CHANGED: {
    status: 412,
    retryable: false,
    title: 'The database has another history than the one that the client knows',
    hint: 'The database was restored, failed over or replaced. Read the state again, then send the new `X-Coordinator-Lineage`.',
  },
  COORD_IDEMPOTENCY_REUSED: {
    status: 422,
    retryable: false,
    title: 'The Idempotency-Key was used for another request',
    hint: 'Use a new key for each different request.',
  },
  COORD_COMMIT_CONTENDED: {
    status: 409,
    retryable: true,
    title: 'Other clients kept changing the record',
    hint: 'Send the request again. If it fails often, let fewer clients write the same record.',
  },

  // Knowledge graph
  COORD_NODE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'The graph has no such node',
    hint: 'Give the name of a service, such as `flagd`, or the id of a node, such as `team:payments`; `GET /knowledge-graph` lists all nodes.',
  },
  COORD_NODE_ID_INVALID: {
    ...badRequest,
    title: 'The text is not the id of a node',
    hint: 'Write the id as `type:name`, such as `team:payments`, or as `type:@namespace:name` in a namespace other than `default`. Percent-encode all characters but letters, digits, `_`, `.` and `-`.',
  },
  COORD_EDGE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'The graph has no such edge',
    hint: 'Write the id as `source,type,target,origin`; `GET /knowledge-graph/neighbors?of=...` lists the edges of a node.',
  },
  COORD_EDGE_ID_INVALID: {
    ...badRequest,
    title: 'The text is not the id of an edge',
    hint: 'Write the id as `source,type,target`, with two ids of nodes, such as `team:payments,owns,service:checkout`.',
  },
  COORD_EDGE_DERIVED: {
    status: 409,
    retryable: false,
    title: 'Services declare this edge, so clients cannot write it',
    hint: 'Change the registration of the service, or write an edge with the origin `asserted`.',
  },

  COORD_GRAPH_BUSY: {
    ...retry,
    title: 'Too many graphs of the past or large simulations are waiting',
    hint: 'Ask again after `Retry-After`, and about fewer moments at the same time: questions about the same moment share its graph.',
  },

  // Questions and their budgets
  COORD_QUESTION_TOO_LARGE: {
    status: 503,
    retryable: false,
    title: 'The question takes too long or needs too much memory',
    hint: 'Ask for less: add a filter, lower `limit` or `depth`, choose a more recent moment, or simulate fewer changes. The settings QUESTION_TIMEOUT_MS and PAST_QUESTION_TIMEOUT_MS limit the time.',
  },
  COORD_QUESTION_ABANDONED: {
    status: 499,
    retryable: true,
    title: 'The client closed the connection before the answer',
    hint: 'Keep the connection open until the answer arrives. No client receives this code: it marks such requests in the metrics.',
  },
  COORD_PAST_BUSY: {
    ...retry,
    title: 'Too many questions about the past are waiting',
    hint: 'Ask again after `Retry-After`, and ask fewer questions at the same time.',
    repair: 'Raise DATABASE_POOL_MAX: more connections answer more of these questions at the same time.',
  },

  // Revisions and time
  COORD_REVISION_COMPACTED: {
    status: 410,
    retryable: false,
    title: 'That moment is older than the kept history',
    hint: 'Ask for a later revision. JOURNAL_KEEP_HOURS and JOURNAL_KEEP_REVISIONS set how much history is kept.',
  },
  COORD_REVISION_FUTURE: {
    ...badRequest,
    title: 'That moment has not happened yet',
    hint: 'Ask for a revision up to the one in `X-Coordinator-Revision`, or for a time up to now.',
  },
  COORD_REVISION_WAIT_TIMEOUT: {
    status: 504,
    retryable: true,
    title: 'The revision did not arrive in time',
    hint: 'Ask again; `GET /database` shows how far this coordinator is behind.',
  },
  COORD_REVISION_EXHAUSTED: {
    status: 503,
    retryable: false,
    title: 'The revision counter is used up',
    hint: 'Move the records to a new store with `coordinator import`.',
  },

  // The store, seen by a client
  COORD_NOT_LOADED: {
    ...retry,
    title: 'The coordinator has not loaded its records yet',
    hint: 'Ask again in a few seconds; `GET /health` shows what the coordinator waits for.',
  },
  COORD_STORE_UNAVAILABLE: {
    ...retry,
    title: 'The database cannot be reached',
    hint: 'Ask again after `Retry-After`; `GET /database` shows the cause. You can send a write again with the same `Idempotency-Key`.',
    repair: 'Start the database, or correct host and port in DATABASE_URL.',
  },
  COORD_STORE_TIMEOUT: {
    ...retry,
    title: 'The database did not answer in time',
    hint: 'Ask again after `Retry-After`; `GET /database` shows latencies. You can send a write again with the same `Idempotency-Key`.',
    repair:
      'Run `coordinator doctor` to see how long the database takes. If it is only slow, raise DATABASE_STATEMENT_TIMEOUT_MS.',
  },
  COORD_STORE_BUSY: {
    ...retry,
    title: 'The database is busy with another writer',
    hint: 'Ask again after `Retry-After`; look for an open transaction on the table `head`.',
    repair: 'Look for an open transaction on the table `head`: `coordinator doctor` names it.',
  },
  COORD_STORE_UNREPLICATED: {
    ...retry,
    title: 'The database has not confirmed that its synchronous standby has the write',
    hint: 'Ask again after `Retry-After`; `GET /database` shows the cause. You can send a write again with the same `Idempotency-Key`.',
    repair:
      'Bring the synchronous standby back: `select application_name, sync_state from pg_stat_replication` on the primary shows it. Let nobody end or cancel sessions with the `wait_event` SyncRep.',
  },
  COORD_COMMIT_QUEUE_FULL: {
    ...retry,
    title: 'Too many writes are waiting',
    hint: 'Ask again after `Retry-After`; send registrations in batches with `POST /register/batch`.',
  },
  COORD_MEMORY_FULL: {
    status: 507,
    retryable: true,
    title: 'The coordinator has no memory left for more records',
    hint: 'Nothing was stored; reading and deregistering still work. Deregister services that nobody needs, or give the coordinator a larger heap: set NODE_OPTIONS=--max-old-space-size=MIB, and restart it. Without a database, lower JOURNAL_KEEP_REVISIONS or JOURNAL_MEMORY_MIB instead to keep less history.',
    repair:
      'Give the coordinator a larger heap than `coordinator status` shows: set NODE_OPTIONS=--max-old-space-size=MIB, and restart it. Or deregister services that nobody needs.',
  },
  COORD_MEMORY_EXCEEDED: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The records of the database do not fit into memory',
    hint: 'Give the coordinator a larger heap than `coordinator status` shows: set NODE_OPTIONS=--max-old-space-size=MIB, and restart it.',
  },
  COORD_ANSWERS_WAITING: {
    ...retry,
    title: 'Too many answers wait for clients that read slowly',
    hint: 'Ask again after `Retry-After`, and ask for less: lower `limit`, or choose `fields`.',
    repair:
      'Watch `coordinator_http_unsent_bytes` in `GET /metrics`. If the machine has free memory, raise UNSENT_MAX_MIB.',
  },
  COORD_STREAMS_BUSY: {
    ...retry,
    title: 'Too many streams of the whole state are open',
    hint: 'Ask again after `Retry-After`. You can also read `GET /services` page by page, or follow `GET /changes` from a position instead of reading everything again.',
    repair:
      'Watch `coordinator_http_whole_streams` in `GET /metrics`. If the machine has free memory, raise STREAMS_MAX.',
  },
  COORD_STREAMS_FULL: {
    ...retry,
    title: 'The coordinator has no memory left for more streams and requests that wait',
    hint: 'Ask again after `Retry-After`. You can also ask for changes without `wait`.',
    repair:
      'Give the coordinator a larger heap: set NODE_OPTIONS=--max-old-space-size=MIB, and restart it. LIMIT_STREAMS limits how many streams one client may have.',
  },
  COORD_COMMIT_REFUSED: {
    status: 422,
    retryable: false,
    title: 'The database refuses this change',
    hint: 'Nothing was stored. `detail` gives the reason: change the content and send it again.',
  },
  COORD_SHUTTING_DOWN: {
    ...retry,
    title: 'The coordinator is stopping',
    hint: 'Send the request to another coordinator, or to this one after its restart.',
  },
  COORD_STORE_AUTH: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The database refuses the login',
    hint: 'Check user and password (or key) in DATABASE_URL or in the Supabase variables.',
  },
  COORD_STORE_DATABASE_MISSING: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The database does not exist on that server',
    hint: 'Create the database, or correct its name at the end of DATABASE_URL.',
  },
  COORD_STORE_RIGHTS: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The database role lacks a right',
    hint: 'Let the role own the schema: run `grant create on database ... to ...`, or create the schema with this role as its owner.',
  },
  COORD_STORE_TLS: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The encrypted connection to the database failed',
    hint: 'Compare sslmode and sslrootcert in DATABASE_URL with what the server offers.',
  },
  COORD_STORE_ENCODING: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The database does not use the encoding UTF8',
    hint: "Use a database that was created with `encoding 'UTF8'`.",
  },
  COORD_STORE_CONNECTIONS: {
    ...retry,
    title: 'The database has no free connection',
    hint: 'Ask again after `Retry-After`; lower DATABASE_POOL_MAX, or raise the limit of the server or pooler.',
    repair: 'Lower DATABASE_POOL_MAX, or raise the limit of the server or pooler.',
  },
  COORD_STORE_STANDBY: {
    ...retry,
    title: 'The database accepts no writes: it is a standby, or it is read-only',
    hint: 'Name the primary in DATABASE_URL, too. With several hosts, the coordinator finds the primary by itself after a failover.',
  },
  COORD_STORE_REPLY: {
    ...retry,
    exit: 1,
    title: 'The answer of the database cannot be understood',
    hint: 'Run `coordinator migrate verify`, and look for a proxy that changes answers.',
  },
  COORD_STORE_DNS: {
    ...retry,
    title: 'The name of the database host cannot be resolved',
    hint: 'Check the host in SUPABASE_URL, and the DNS of this machine. A Supabase project that was deleted, or paused for a long time, has no address: open it in the dashboard.',
  },
  COORD_STORE_REFUSED: {
    ...retry,
    title: 'Nothing listens at the address of the database',
    hint: 'Start the server there, or correct the host and port in SUPABASE_URL. A running coordinator tries again by itself.',
  },
  COORD_STORE_GATEWAY: {
    ...retry,
    title: 'A gateway answered instead of the Data API',
    hint: 'This fault usually passes: see status.supabase.com. If it stays, compare SUPABASE_URL with the API settings of the project.',
  },
  COORD_STORE_API_OFFLINE: {
    ...retry,
    title: 'The Data API cannot reach its own database',
    hint: 'Wait: the Data API reconnects by itself. If the fault stays, restart the project in the dashboard.',
  },
  COORD_STORE_PAUSED: {
    ...retry,
    title: 'The Supabase project is paused',
    hint: 'Resume the project in the dashboard (Free projects pause after a week without use). The coordinator then continues by itself.',
  },
  COORD_STORE_QUOTA: {
    ...retry,
    title: 'The Supabase project is restricted: a quota is used up, or a bill is unpaid',
    hint: 'See Organization > Usage and Billing in the dashboard. The coordinator continues by itself when the restriction ends.',
  },
  COORD_STORE_RATE_LIMITED: {
    ...retry,
    title: 'The Data API accepts no more requests for now',
    hint: 'The coordinator waits as long as the Data API asks it to. Raise POLL_MIN_MS and POLL_MAX_MS, or the limits of the project.',
  },
  COORD_STORE_API_SCHEMA: {
    ...config,
    status: 503,
    title: 'The Data API does not expose the schema `public`',
    hint: 'Add `public` to the exposed schemas: Integrations > Data API > Settings in the dashboard.',
  },
  COORD_STORE_API_MISSING: {
    ...config,
    status: 503,
    title: 'There is no Data API at that address',
    hint: 'Set SUPABASE_URL to https://PROJECT.supabase.co as the API settings of the project show it.',
  },
  COORD_STORE_ANON: {
    ...config,
    status: 503,
    title: 'The public key may not use the database',
    hint: 'Set SUPABASE_SERVICE_ROLE_KEY. To allow the public key on purpose, run `coordinator migrate --allow-anon`: everybody who has that key can then read and write.',
  },
  COORD_STORE_READ_ONLY: {
    ...file,
    title: 'The database cannot be written',
    hint: 'Make the database file and its folder writable for the user that runs the coordinator.',
  },
  COORD_STORE_FULL: {
    ...file,
    retryable: true,
    title: 'The disk of the database is full',
    hint: 'Free some space. The coordinator then writes again by itself.',
  },
  COORD_STORE_IO: {
    ...file,
    retryable: true,
    title: 'The disk of the database failed',
    hint: 'Check the disk and its quota, with `df` and the system log.',
  },
  COORD_STORE_CORRUPT: {
    ...file,
    title: 'The database file is damaged or is not a database',
    hint: 'Keep the file, restore the last backup to another path, and set DATABASE_URL to that path. If the file never was a database, correct DATABASE_URL.',
  },
  COORD_STORE_DAMAGED: {
    ...file,
    title: 'The tables of the database contradict each other',
    hint: 'Run `coordinator doctor`: it shows each difference and its repair. The usual cause is a change by hand that bypassed the journal, or a disk that lost data.',
  },
  COORD_STORE_REPLACED: {
    status: 503,
    retryable: false,
    title: 'The database was emptied or replaced: it has another history than the one that is served',
    hint: 'Bring the right database back. If the new one is meant, run `coordinator accept-history LINEAGE` with the lineage that `coordinator status` names, or restart the coordinators.',
  },
  COORD_STORE_FROZEN: {
    ...retry,
    title: 'The database takes no writes at this time',
    hint: 'Repeat the request later. `coordinator status` shows the mode of the database; a restore, a copy or a cutover ends it.',
  },
  COORD_STORE_MODE: {
    status: 503,
    retryable: false,
    title: 'The mode of the database does not allow this',
    hint: 'Run `coordinator status` to see the mode, and finish or abort the restore, copy or cutover that set it.',
  },
  COORD_STORE_NOT_EMPTY: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The database already holds a history',
    hint: 'Give an empty database: a new file, another schema in DATABASE_SCHEMA, or a new database. Nothing was changed.',
  },
  COORD_STORE_PATH: {
    ...file,
    title: 'The database file cannot be opened',
    hint: 'Create the folder, make it writable, or give another file in DATABASE_URL.',
  },
  COORD_STORE_LOCKED: {
    ...file,
    title: 'Another process owns the database file',
    hint: 'Stop the other coordinator, or give this one its own file. Several coordinators need PostgreSQL or Supabase.',
  },
  COORD_STORE_FAULT: {
    ...retry,
    exit: 1,
    title: 'The database failed in an unforeseen way',
    hint: 'Look for this request id in the log; `GET /database` shows the last errors.',
  },
  COORD_STORE_FOREIGN: {
    ...file,
    title: 'The database belongs to another program',
    hint: 'Give another file in DATABASE_URL.',
  },

  // Archives of backups
  COORD_COPY_DIFFERS: {
    ...file,
    title: 'The copy of the database is not the same as its source',
    hint: 'Run `coordinator copy --again` with the same --from and --to, and `coordinator doctor` on both databases.',
  },
  COORD_ARCHIVE_UNREACHABLE: {
    ...retry,
    title: 'The destination of the backups cannot be reached',
    hint: 'Check BACKUP_URL and the network. The archiver tries again by itself; writes go on meanwhile.',
  },
  COORD_ARCHIVE_REFUSED: {
    ...config,
    status: 503,
    title: 'The destination of the backups refused the access',
    hint: 'Check BACKUP_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and that the bucket or folder exists and may be written.',
  },
  COORD_ARCHIVE_FULL: {
    ...file,
    retryable: true,
    title: 'The destination of the backups is full',
    hint: 'Free some space, or lower BACKUP_KEEP_DAYS. The archiver then goes on by itself.',
  },
  COORD_ARCHIVE_DAMAGED: {
    ...file,
    title: 'A file of the archive is damaged',
    hint: 'Run `coordinator backup verify`: it names every bad file, and says which revisions can be restored without them. `coordinator restore --without FILE` leaves one out.',
  },
  COORD_ARCHIVE_EMPTY: {
    status: 404,
    retryable: false,
    title: 'The archive cannot restore this moment',
    hint: 'Run `coordinator backup list` to see the moments that can be restored.',
  },
  COORD_ARCHIVE_SEVERAL: {
    status: 409,
    retryable: false,
    exit: 78,
    title: 'The archive holds several histories',
    hint: 'Choose one with --lineage; `coordinator backup list` shows them.',
  },
  COORD_ARCHIVE_CONTRADICTION: {
    ...file,
    title: 'The archive contradicts the journal of the database',
    hint: 'Two databases may write to the same BACKUP_URL as one history. Give each its own prefix, then run `coordinator backup verify`.',
  },
  COORD_ARCHIVE_NO_IDENTITY: {
    ...config,
    title: 'The archive is encrypted, and no identity opens it',
    hint: 'Set BACKUP_IDENTITY_FILE to the file with the age identity that belongs to one of BACKUP_RECIPIENTS.',
  },

  // The schema of the database
  COORD_SCHEMA_NEWER: {
    status: 503,
    retryable: false,
    exit: 78,
    title: 'The database schema is newer than this program',
    hint: 'Upgrade the coordinator to the version that migrated the database. Migrations never go back.',
  },
  COORD_SCHEMA_FOREIGN: {
    ...config,
    status: 503,
    title: 'The database schema belongs to another program',
    hint: 'Set DATABASE_SCHEMA to the name of a schema that only the coordinator uses.',
  },
  COORD_SCHEMA_OLD: {
    ...config,
    status: 503,
    title: 'The database schema is missing or too old',
    hint: 'Run `coordinator migrate`, or set AUTO_MIGRATE=true.',
  },

  // Access
  COORD_AUTH_REQUIRED: {
    ...unproven,
    title: 'The request has no credential',
    hint: 'Send `Authorization: Bearer TOKEN`; for commands, set COORDINATOR_TOKEN or give --token-file. An administrator creates tokens with `coordinator token create`.',
  },
  COORD_CREDENTIAL_INVALID: {
    ...unproven,
    title: 'The credential is not valid',
    hint: 'Check that the whole token is sent, as `Authorization: Bearer TOKEN`. If it is lost, create another one with `coordinator token create`.',
  },
  COORD_CREDENTIAL_EXPIRED: {
    ...unproven,
    title: 'The credential has expired',
    hint: 'Create a new token with `coordinator token create`, or sign in again.',
  },
  COORD_CREDENTIAL_REVOKED: {
    ...unproven,
    title: 'The credential was revoked',
    hint: 'Create a new token with `coordinator token create`, under another name.',
  },
  COORD_SCOPE_MISSING: {
    status: 403,
    retryable: false,
    exit: 77,
    title: 'The credential does not permit this',
    hint: 'Use a credential with the scope named in `detail`; `GET /access` shows the scopes of this one.',
  },
  COORD_PROXY_NEEDS_AUTH: {
    status: 403,
    retryable: false,
    exit: 77,
    title: 'A proxy forwards requests to a coordinator without authentication',
    hint: 'Set AUTH=required, or AUTH=off if everybody who reaches the proxy may change everything.',
  },
  COORD_AUTH_UNAVAILABLE: {
    ...retry,
    title: 'The credential cannot be checked at the moment',
    hint: 'Wait as long as Retry-After says, then send the request again.',
    repair: 'Check the database, and the URL in AUTH_JWKS_URL; the log has the cause.',
  },
  COORD_RATE_LIMITED: {
    status: 429,
    retryable: true,
    title: 'The client sends too many requests',
    hint: 'Wait as long as Retry-After says, then send the request again. LIMIT_WRITES_PER_SECOND and LIMIT_STREAMS set the limits of a client.',
  },
  COORD_TOKEN_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'There is no token with this id',
    hint: 'List the tokens with `coordinator token list`.',
  },
  COORD_TOKEN_NAME_TAKEN: {
    status: 409,
    retryable: false,
    title: 'The name belongs to another token',
    hint: 'Choose another name. The name of a token is never used again, even after the token was revoked, so that the journal stays clear.',
  },
  COORD_TOKENS_TOO_MANY: {
    status: 409,
    retryable: false,
    title: 'There are too many tokens',
    hint: 'Use JWTs for clients that come and go (AUTH_JWT_ISSUER), or tokens that live longer.',
  },

  // Configuration and command line
  COORD_CONFIG_INVALID: {
    ...config,
    title: 'A setting has a wrong value',
    hint: 'Correct the value; docs/settings.md lists every setting.',
  },
  COORD_CONFIG_INCOMPLETE: {
    ...config,
    title: 'The database is only half configured',
    hint: 'Set all variables that belong together, or none; docs/settings.md lists them, and docs/supabase-setup.md explains those of Supabase.',
  },
  COORD_CONFIG_UNSUPPORTED: {
    ...config,
    title: 'This version does not support the value of a setting',
    hint: 'Use DATABASE_URL=sqlite:./data/coordinator.db to keep the data, or unset it to run in memory.',
  },
  COORD_CONFIG_PACKAGE_MISSING: {
    ...config,
    title: 'A package that the settings need is not installed',
    hint: 'Run `npm install --omit=dev --include=optional` in the folder where the coordinator is installed.',
  },
  COORD_TLS_FILE: {
    ...config,
    title: 'The certificate of the server, or its private key, cannot be used',
    hint: 'Let TLS_CERT_FILE name a certificate and TLS_KEY_FILE its private key, both in PEM form, not encrypted, and readable for the user that runs the coordinator.',
  },
  COORD_NODE_TOO_OLD: {
    ...config,
    title: 'Node.js is too old',
    hint: 'Run the coordinator with Node.js 24 or newer.',
  },
  COORD_LISTEN_FAILED: {
    status: 500,
    retryable: false,
    exit: 1,
    title: 'The coordinator cannot listen on the address',
    hint: 'Choose another PORT or HOST, or stop the other program that listens there.',
  },
  COORD_CLI_USAGE: {
    status: 400,
    retryable: false,
    exit: 2,
    title: 'The command was not understood',
    hint: 'Run `coordinator --help`.',
  },
  COORD_CLI_FILE: {
    status: 400,
    retryable: false,
    exit: 74,
    title: 'The file cannot be read',
    hint: 'Check the path; `-` reads from standard input.',
  },
  COORD_CLI_FILE_PARTIAL: {
    status: 400,
    retryable: false,
    title: 'The file holds only a part',
    hint: 'Write all of it with `coordinator export`.',
  },
  COORD_CLI_FORMAT: {
    status: 400,
    retryable: false,
    title: 'A part of the file cannot be imported',
    hint: 'Change the file, or register this part by hand.',
  },
  COORD_CLI_PRUNE_LIMIT: {
    status: 400,
    retryable: false,
    title: 'Too much would be removed',
    hint: 'Check that nothing is missing from the file. To remove all of it, run the command with --force.',
  },
  COORD_OUTPUT_UNWRITABLE: {
    status: 500,
    retryable: false,
    exit: 74,
    title: 'The output cannot be written',
    hint: 'Free some space where standard output goes, or redirect it.',
  },
  COORD_CLI_UNREACHABLE: {
    ...retry,
    title: 'No coordinator answers at that URL',
    hint: 'Start one with `coordinator serve`, or give its URL with COORDINATOR_URL or --url.',
  },
  COORD_INTERNAL: {
    status: 500,
    retryable: false,
    title: 'The coordinator failed unexpectedly',
    hint: 'Please report this error, with the request id and the log line that has this id.',
  },
} as const satisfies Record<string, ErrorEntry>

/** A code of the table above. */
export type ErrorCode = keyof typeof ERRORS

/** Whether a write may have happened although its answer is an error. */
export type WriteOutcome = 'not_written' | 'unknown'

/** One fault of a request. `path` is a JSON pointer into the body, or a name such as `query.limit` or `header.if-match`. */
export interface Problem {
  readonly path: string
  readonly message: string
  readonly code?: ErrorCode
}

export interface ErrorOptions {
  /** One sentence about this occurrence of the error, without secrets. @default the title of the code */
  readonly detail?: string
  /** A hint that fits this occurrence better than the hint of the table. */
  readonly hint?: string
  readonly errors?: readonly Problem[]
  /** Only for writes: whether the write may have happened. */
  readonly outcome?: WriteOutcome
  /** The time to wait before another try, in whole seconds. */
  readonly retryAfterSeconds?: number
  /** The driver's own code (SQLSTATE, PGRST code, SQLite result code), for metrics and logs. */
  readonly sourceCode?: string
  /** More members of the answer, such as `revision`. */
  readonly extra?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** The only error class that crosses layers. Each backend translates the errors of its driver into this class. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError'
  readonly code: ErrorCode
  readonly detail: string
  readonly hint: string
  readonly errors: readonly Problem[]
  readonly outcome: WriteOutcome | undefined
  readonly retryAfterSeconds: number | undefined
  readonly sourceCode: string | undefined
  readonly extra: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(
      options.detail ?? ERRORS[code].title,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.detail = this.message
    this.hint = options.hint ?? ERRORS[code].hint
    this.errors = options.errors ?? []
    this.outcome = options.outcome
    this.retryAfterSeconds = options.retryAfterSeconds
    this.sourceCode = options.sourceCode
    this.extra = options.extra ?? {}
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code]
  }

  get title(): string {
    return this.entry.title
  }

  get status(): number {
    return this.entry.status
  }

  get retryable(): boolean {
    return this.entry.retryable
  }

  /** The next step for the operator of the coordinator: the hint, unless it is only for clients. */
  get repair(): string {
    return this.hint === this.entry.hint ? (this.entry.repair ?? this.hint) : this.hint
  }

  get exitCode(): number {
    return this.entry.exit ?? 1
  }

  /** The options with which the same error can be created again. */
  get options(): ErrorOptions {
    const { detail, hint, errors, extra, outcome, retryAfterSeconds, sourceCode, cause } = this
    return {
      ...{ detail, hint, errors, extra },
      ...(outcome === undefined ? {} : { outcome }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(sourceCode === undefined ? {} : { sourceCode }),
      ...(cause === undefined ? {} : { cause }),
    }
  }

  /** The same error with another `outcome`. */
  withOutcome(outcome: WriteOutcome): CoordinatorError {
    return this.with({ outcome })
  }

  /** The same error with other options. */
  with(changed: ErrorOptions): CoordinatorError {
    return new CoordinatorError(this.code, { ...this.options, ...changed })
  }
}

/** Returns `thrown` if it is a `CoordinatorError`. Anything else becomes the cause of a new error with the code `fallback`. */
export function toCoordinatorError(
  thrown: unknown,
  fallback: ErrorCode = 'COORD_INTERNAL',
): CoordinatorError {
  return thrown instanceof CoordinatorError ? thrown : new CoordinatorError(fallback, { cause: thrown })
}
