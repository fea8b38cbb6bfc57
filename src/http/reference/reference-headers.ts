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
  Age: {
    description: 'Together with it: the seconds since the database confirmed the served state.',
    schema: whole,
  },
  ETag: {
    description:
      'Identifies the present form of the content: for `If-Match`, and for `If-None-Match` if the request supports it.',
    schema: text,
  },
  Location: { description: 'The path of the written record.', schema: text },
  'Retry-After': { description: 'When to try again, in seconds.', schema: whole },
} as const

/** Headers that requests may carry, for the reference. */
export const requestHeaders = {
  'X-Coordinator-Lineage':
    'The history that the client knows. The answer is 412 if the coordinator has another one.',
  'Idempotency-Key':
    'Makes the write repeatable: the same key with the same content gets the first result again, with current `warnings`; with other content it gets 422. The key of a write that changed nothing counts for 24 hours. Up to 255 visible ASCII characters.',
  'If-Match':
    'Only if the record has this `ETag`; `*`: only if it exists. Otherwise 412. The health of the service (the third part) does not count.',
  'If-None-Match': '`*`: only if the record does not exist. Otherwise 412.',
  'If-None-Match (read)': 'The `ETag` that the client has. The answer is 304 if nothing has changed.',
  'X-Coordinator-Actor': 'Who makes the change, as its history shows it. Not verified.',
} as const
