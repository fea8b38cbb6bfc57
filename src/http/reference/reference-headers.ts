const text = { type: 'string' } as const
const whole = { type: 'integer', minimum: 0 } as const

/** Headers of answers, for the reference. */
export const answerHeaders = {
  'X-Request-Id': {
    description: 'Names the request in the log; sent by the client, or made here.',
    schema: text,
  },
  'X-Coordinator-Revision': { description: 'The revision that the answer shows.', schema: whole },
  'X-Coordinator-Lineage': {
    description:
      'The history that the revision belongs to. Another one: the database was restored or replaced.',
    schema: text,
  },
  'X-Coordinator-Degraded': {
    description: 'Why the coordinator is degraded; absent while it is not. What is served may be old.',
    schema: text,
  },
  Age: { description: 'Beside it: seconds since the database confirmed what is served.', schema: whole },
  ETag: {
    description:
      'Names what is shown in its present form: for `If-Match`, and `If-None-Match` where it is taken.',
    schema: text,
  },
  Location: { description: 'The path of what was written.', schema: text },
  'Retry-After': { description: 'When to try again, in seconds.', schema: whole },
} as const

/** Headers that requests may carry, for the reference. */
export const requestHeaders = {
  'X-Coordinator-Lineage': 'The history that the client knows; 412 where it is not the one here.',
  'Idempotency-Key':
    'Makes the write repeatable: the same key with the same content gets the first result again, with current `warnings`; with other content it gets 422. The key of a write that changed nothing counts for 24 hours. Up to 255 visible ASCII characters.',
  'If-Match':
    'Only if the record has this `ETag`; `*`: only if it exists. Otherwise 412. The health of the service (the third part) does not count.',
  'If-None-Match': '`*`: only if the record does not exist. Otherwise 412.',
  'If-None-Match (read)': 'The `ETag` that the client has: 304 where nothing has changed.',
  'X-Coordinator-Actor': 'Who makes the change, as its history shows it. Not verified.',
} as const
