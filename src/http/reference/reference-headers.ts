const text = { type: 'string' } as const
const whole = { type: 'integer', minimum: 0 } as const

/** Headers of answers, for the reference. */
export const answerHeaders = {
  'X-Request-Id': {
    description:
      'The id of the request in the log. The client may send it; otherwise the coordinator creates one.',
    schema: text,
  },
  'X-Coordinator-Revision': { description: 'The revision that the answer shows.', schema: whole },
  'X-Coordinator-Lineage': {
    description:
      'The history that the revision belongs to. It changes when the database is restored or replaced.',
    schema: text,
  },
  'X-Coordinator-Degraded': {
    description: 'Why the coordinator is degraded. Answers may be old while it is. Absent otherwise.',
    schema: text,
  },
  Age: {
    description:
      'Sent with X-Coordinator-Degraded: seconds since the database last confirmed the records that are shown.',
    schema: whole,
  },
  ETag: {
    description: 'Identifies the present state of the answer, for `If-Match` and `If-None-Match`.',
    schema: text,
  },
  Location: { description: 'The path of the record that was written.', schema: text },
  'WWW-Authenticate': {
    description:
      'What is wrong with the credential: RFC 6750. Sent with 401, and with 403 if a scope is missing.',
    schema: text,
  },
  Accept: { description: 'Sent with 415: the media types that the request may have.', schema: text },
  'Accept-Patch': {
    description:
      'Sent with 415, and with 405 to `OPTIONS`: the media types that a patch may have (RFC 5789).',
    schema: text,
  },
  'Retry-After': { description: 'How long to wait before another try, in seconds.', schema: whole },
} as const

/** Headers that requests may carry, for the reference. */
export const requestHeaders = {
  'X-Coordinator-Lineage': 'The history that the client knows. The answer is 412 if it is another one here.',
  'Idempotency-Key':
    'Makes the write repeatable. The same key with the same content gets the first result again, with current `warnings`. With other content it gets 422. The key of a write that changed nothing is kept for 24 hours. Up to 255 visible ASCII characters.',
  'If-Match':
    'Writes only if the record has one of these ETags, or, with `*`, only if it exists. Otherwise the answer is 412. A weak one (`W/`) never matches. The third part of the `ETag` of a service, its health, is ignored.',
  'If-None-Match':
    '`*`: writes only if the record does not exist. One or several ETags: only if it has none of them. Otherwise the answer is 412.',
  'If-Match (read)':
    'Answers only if the answer has one of these ETags. Otherwise it is 412. A weak one (`W/`) never matches.',
  'If-None-Match (read)':
    'One or several ETags that the client has, weak ones too. The answer is 304 if nothing has changed.',
  'X-Coordinator-Actor':
    'For whom the caller makes the change. The coordinator does not verify it: the history shows it after what the caller proved, such as `token:ci as jane`.',
} as const
