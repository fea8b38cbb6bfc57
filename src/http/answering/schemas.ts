import { z } from 'zod'
import { replicaOperations, replicaOutcomes, replicaRoles, replicaStates } from '../../database/replicas.ts'
import { memoryStates } from '../../live/memory/memory-budget.ts'
import { registrationSchema } from '../../records/service/service.ts'

/** The shapes of answers, for the reference, and for the tests that compare the answers with them. */

const revision = z.int().nonnegative()
const time = z.iso.datetime()
const success = z.literal(true)

/** A member of everything that has an actor. */
export const unprovenActor = z.literal(true).optional().meta({
  description:
    'Present if the entry is from before the coordinator first demanded credentials (`AUTH=required`): `actor` is only what the client said.',
})

export const warningSchema = z.object({
  code: z.string().meta({
    description: 'A stable code, such as `looks_unfilled`; docs/registry.md lists them.',
    example: 'unknown_field',
  }),
  message: z.string(),
  path: z.string().optional(),
  serviceId: z.string().optional(),
})

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: 'Path of the page that explains the code.' }),
    title: z.string(),
    status: z.int(),
    code: z
      .string()
      .meta({ description: 'A stable code; see `/docs/errors`.', example: 'COORD_SERVICE_NOT_FOUND' }),
    detail: z.string().meta({ description: 'What happened this time.' }),
    hint: z.string().meta({ description: 'What to do about it.' }),
    retryable: z.boolean().meta({ description: 'Whether the same request may succeed later.' }),
    requestId: z.string().optional(),
    errors: z
      .array(z.object({ path: z.string(), message: z.string(), code: z.string().optional() }))
      .optional()
      .meta({
        description:
          'The faults. `path` is a JSON pointer into the body, or a name such as `query.limit` or `header.if-match`.',
      }),
    outcome: z
      .enum(['not_written', 'unknown'])
      .optional()
      .meta({ description: 'Whether a failed write may have been stored.' }),
    suggestion: z
      .string()
      .optional()
      .meta({ description: 'The name or id that was probably meant, if the given one does not exist.' }),
    success: z.literal(false),
    message: z.string().meta({ description: 'The same as `detail`.' }),
  })
  .meta({ id: 'Problem', description: 'Why a request failed (RFC 9457).' })

export const storageSchema = z
  .object({
    backend: z.string().meta({
      description:
        '`memory`, `sqlite`, `postgres` or `supabase`; a coordinator built into a program may use a store of its own.',
    }),
    durable: z.boolean().meta({ description: 'Whether acknowledged writes survive the coordinator.' }),
  })
  .meta({ id: 'Storage' })

const notice = z
  .string()
  .optional()
  .meta({ description: 'A warning that a restart loses the data. Absent if the storage is durable.' })

const status = z.enum(['pending_migration', 'active']).meta({
  description:
    'Whether the service has sent its `migrationFile`, which is optional. `pending_migration` is no fault: clients find the service like any other. Its `health` says whether it works.',
})

export const serviceSchema = registrationSchema
  .partial()
  .required({ serviceName: true, namespace: true, version: true, endpoint: true })
  .extend({
    serviceId: z.string(),
    id: z.string().meta({ description: 'The same as `serviceId`.' }),
    status,
    health: z.enum(['unknown', 'up', 'down', 'expired']),
    registeredAt: time,
    updatedAt: time,
    lastHeartbeat: time
      .nullable()
      .meta({ description: 'The last heartbeat that this coordinator received.' }),
    revision,
  })
  .meta({ id: 'Service' })

const registered = {
  success,
  serviceId: z.string(),
  status,
  created: z.boolean().meta({ description: 'Whether the service was not registered before.' }),
  changed: z.boolean().meta({ description: 'Whether anything was stored.' }),
  revision,
  replayed: z.boolean().optional().meta({
    description: 'Whether this is the first result of a request that came before with the same key.',
  }),
  warnings: z.array(warningSchema),
}

export const registerAnswerSchema = z
  .object({ ...registered, storage: storageSchema, notice })
  .meta({ id: 'RegisterAnswer' })

export const batchAnswerSchema = z
  .object({
    success,
    results: z.array(z.union([z.object({ ...registered, statusCode: z.int() }), problemSchema])).meta({
      description: 'In the order of the request.',
    }),
    registered: z.int().meta({ description: 'How many were accepted.' }),
    failed: z.int(),
    revision,
    storage: storageSchema,
    notice,
  })
  .meta({ id: 'BatchAnswer' })

export const namespacesAnswerSchema = z
  .object({
    success,
    namespaces: z.array(
      z.object({
        namespace: z.string(),
        services: z.int(),
        active: z.int().meta({ description: 'How many of the services have sent their `migrationFile`.' }),
        nodes: z.int().meta({
          description:
            'How many nodes of the knowledge graph are in the namespace. All instances of a service are one node.',
        }),
      }),
    ),
    total: z.int().meta({ description: 'How many there are on all pages.' }),
    nextCursor: z.string().optional().meta({ description: 'Absent on the last page.' }),
    revision,
  })
  .meta({ id: 'Namespaces' })

export const serviceAnswerSchema = z.object({ success, service: serviceSchema }).meta({ id: 'ServiceAnswer' })

export const listAnswerSchema = z
  .object({
    success,
    services: z.array(serviceSchema.partial()).meta({ description: 'By serviceName, then serviceId.' }),
    total: z.int().meta({ description: 'How many match, on all pages.' }),
    nextCursor: z.string().optional().meta({ description: 'For the next page; absent on the last one.' }),
    revision,
  })
  .meta({ id: 'ServiceList' })

export const historyAnswerSchema = z
  .object({
    success,
    serviceId: z.string(),
    entries: z.array(
      z.object({
        revision,
        at: time,
        actor: z.string(),
        unproven: unprovenActor,
        commitId: z.string(),
        action: z.enum(['registered', 'updated', 'deregistered']),
        changes: z
          .array(
            z.object({
              field: z.string(),
              change: z.enum(['added', 'removed', 'changed']),
              before: z.unknown().optional(),
              after: z.unknown().optional(),
            }),
          )
          .optional(),
      }),
    ),
    next: revision.optional().meta({ description: 'Pass it as `before` for the next page.' }),
    complete: z.boolean(),
    revision,
  })
  .meta({ id: 'ServiceHistory' })

export const heartbeatAnswerSchema = z
  .object({
    success,
    serviceId: z.string(),
    health: z.enum(['unknown', 'up', 'down', 'expired']),
    lastHeartbeat: time,
    ttlSeconds: z.int().optional(),
    expiresAt: time.optional(),
    warnings: z.array(warningSchema).optional(),
  })
  .meta({ id: 'HeartbeatAnswer' })

export const deregisterAnswerSchema = z
  .object({
    success,
    serviceId: z.string(),
    changed: z.boolean(),
    revision,
    replayed: z.boolean().optional(),
  })
  .meta({ id: 'DeregisterAnswer' })

const liveState = z.enum(['memory', 'connecting', 'loading', 'ready', 'degraded', 'copy', 'frozen'])

const cause = {
  reason: z.string().optional().meta({ description: 'Why the database is not in order.' }),
  code: z.string().optional().meta({ description: 'The error code of the reason; see `/docs/errors`.' }),
  repair: z.string().optional().meta({ description: 'What an operator can do about it.' }),
}

const source = {
  source: z.enum(['snapshot']).optional().meta({
    description:
      'The coordinator started without its database, and serves a snapshot. Absent while the records come from the database.',
  }),
  snapshotAt: time.optional().meta({ description: 'When the database confirmed the snapshot last.' }),
}

const memory = z
  .object({
    state: z.enum(memoryStates).meta({
      description:
        '`full`: writes that need memory are refused; reading and deregistering go on. `exhausted`: changes of other coordinators are not loaded any more.',
    }),
    usedMiB: z.int().meta({ description: 'Estimate of the heap in use, without garbage.' }),
    limitMiB: z.int().meta({ description: 'Size of the heap at which the process would die.' }),
  })
  .meta({ id: 'Memory' })

const backup = z
  .object({
    url: z.string().meta({ description: 'Where the archive is.' }),
    state: z.enum(['waiting', 'ok', 'failing', 'stopped']).meta({
      description:
        '`failing`: the last attempt failed, and is repeated. `stopped`: the archive contradicts the database, and nothing is archived until somebody has looked.',
    }),
    reason: cause.reason,
    code: cause.code,
    archivedRevision: revision.meta({ description: 'The newest revision that can be restored.' }),
    unarchivedRevisions: z.int(),
    unarchivedSeconds: z.number().meta({
      description: 'For how long something may have been missing in the archive.',
    }),
    lastSuccessAt: time.nullable().meta({ description: 'When the archive had everything last.' }),
    baseAt: time.nullable().meta({ description: 'When all records were archived last.' }),
    gaps: z.int().meta({
      description: 'How often the journal was compacted before it was archived, since the start.',
    }),
    drill: z
      .object({
        ok: z.boolean(),
        at: time,
        checked: z.enum(['contents', 'structure']).meta({
          description: '`structure`: without an identity, contents that are encrypted cannot be compared.',
        }),
        detail: z.string().optional(),
      })
      .optional()
      .meta({ description: 'The last rehearsed restore.' }),
  })
  .meta({ id: 'Backup', description: 'The backups. Absent without `BACKUP_URL`.' })

export const healthAnswerSchema = z
  .object({
    success,
    status: z.enum(['ok', 'starting', 'degraded', 'copy', 'frozen']).meta({
      description:
        '`degraded`: it serves what it has loaded. `copy`, `frozen`: it serves, and the database takes no writes, because it follows another one, or another one takes its place.',
    }),
    access: z.enum(['open', 'off', 'required']).meta({
      description:
        'Who may use the coordinator: with `open` everybody on this machine, with `off` everybody who reaches it, with `required` callers with a credential.',
    }),
    uptime: z.number().meta({ description: 'Seconds since the process started.' }),
    registeredServices: z.int(),
    storage: storageSchema.extend({
      status: liveState,
      since: time,
      ...source,
      ...cause,
    }),
    memory,
    backup: backup.optional(),
    notice,
    revision: revision.optional(),
    lineage: z.string().optional(),
    version: z.string(),
  })
  .meta({ id: 'Health' })

const quantiles = z.object({ count: z.int(), p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number() })
const connections = z.object({ idle: z.int(), used: z.int(), waiting: z.int(), max: z.int() })

const replica = z.object({
  host: z.string(),
  role: z.enum(replicaRoles).meta({
    description:
      'What the server said when it was asked last. A `primary` was promoted, or was never a replica.',
  }),
  state: z.enum(replicaStates).meta({
    description:
      'The newest outcome. `behind`: it had not yet what was asked for. `other_history`: it shows another history than the primary. `failed`: it did not answer.',
  }),
  revision: revision.optional(),
  lagRevisions: revision.optional().meta({ description: 'Revisions behind the primary at `answeredAt`.' }),
  answeredAt: time.optional(),
  failure: z
    .object({ code: z.string(), detail: z.string() })
    .optional()
    .meta({ description: 'Why it did not answer last.' }),
  connections: connections.optional(),
})

export const databaseAnswerSchema = z
  .object({
    success,
    backend: storageSchema.shape.backend,
    durable: z.boolean(),
    notice,
    status: liveState,
    since: time,
    mode: z.enum(['open', 'seeding', 'copy', 'frozen']).meta({
      description:
        '`open`: the database takes writes. `copy`: it follows another one. `seeding`: it is being filled. `frozen`: another one takes its place.',
    }),
    ...source,
    ...cause,
    lineage: z.string().optional(),
    headRevision: revision.meta({ description: 'The newest revision that the database has named.' }),
    viewRevision: revision.meta({ description: 'The revision that answers show.' }),
    lagRevisions: revision,
    ageMs: z.number().meta({
      description:
        'Time since the coordinator last asked the database a question whose answer confirmed the view.',
    }),
    floorRevision: revision.meta({ description: 'The oldest revision that `asOf` can answer.' }),
    waitingWrites: z.int(),
    memory,
    backup: backup.optional(),
    historyMiB: z
      .int()
      .optional()
      .meta({ description: 'Memory that the history takes, if it is kept in memory.' }),
    loadedRecords: z.int().optional().meta({ description: 'While loading: how many records have arrived.' }),
    refusedRecords: z.array(z.object({ kind: z.string(), id: z.string(), revision, reason: z.string() })),
    refusedCount: z.int(),
    pool: z.object({ writer: connections, follower: connections, reader: connections }).optional().meta({
      description: 'Connections to the database: one writes, one follows the changes, others read.',
    }),
    replicas: z
      .array(replica)
      .optional()
      .meta({ description: 'In the order of `DATABASE_REPLICAS`; absent without that setting.' }),
    replicaReads: z
      .record(z.enum(replicaOperations), z.record(z.enum(replicaOutcomes), z.int()))
      .optional()
      .meta({
        description:
          'How many reads a replica answered (`answered`), how many the primary had to answer (`primary`), and how often a replica was passed over (`behind`, `other_history`, `failed`).',
      }),
    server: z
      .object({
        serverVersion: z.string(),
        schemaVersion: z.int(),
        details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
        inspectedAt: time,
      })
      .optional(),
    serverUnknown: z
      .string()
      .optional()
      .meta({ description: 'Why nothing newer is known about the server.' }),
    latency: z.record(z.string(), quantiles).meta({ description: 'Of the newest calls, by operation.' }),
    lastErrors: z.array(
      z.object({
        at: time,
        operation: z.string(),
        code: z.string(),
        sourceCode: z.string().optional(),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'Database' })
