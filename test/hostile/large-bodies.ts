/** A request whose body is as large as one may be, and wrong. */
export interface LargeBody {
  readonly what: string
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly path: string
  readonly body: string
}

const bodyBytes = 1_048_576

/** So many texts, with commas between them, as fill a body of 1 MiB with what is before and behind. */
function filled(before: string, item: (index: number) => string, behind: string): string {
  const parts: string[] = []
  for (let left = bodyBytes - before.length - behind.length, index = 0; ; index += 1) {
    const text = item(index)
    left -= text.length + 1
    if (left < 0) return `${before}${parts.join(',')}${behind}`
    parts.push(text)
  }
}

const registration = '"serviceName":"bd","version":"1","endpoint":"http://x"'
const ones = (before: string, behind: string) => filled(before, () => '1', behind)
const inField = (field: string) => ones(`{${registration},"${field}":[`, ']}')
const onPath = (path: string, bodies: Readonly<Record<string, string>>): LargeBody[] =>
  Object.entries(bodies).map(([what, body]) => ({ what, method: 'POST', path, body }))

/** One item of a thousand, each wrong in as many ways as a body can hold. */
const wrongItem = `{"tags":[${Array(60).fill('1')}],"dependencies":[${Array(60).fill('1')}],"metadata":"${'x'.repeat(700)}"}`
const misspelt = (item: number) =>
  `{${registration.replace('bd', `s${item}`)},${Array.from({ length: 40 }, (_, at) => `"versoin${at}x":1`)}}`

/** Everything that has cost a coordinator more than a body of one byte, or that may. */
export const largeBodies: readonly LargeBody[] = [
  ...onPath('/register', {
    'dependencies of the wrong type': inField('dependencies'),
    'tags of the wrong type': inField('tags'),
    'capabilities of the wrong type': inField('capabilities'),
    'empty objects as dependencies': filled(`{${registration},"dependencies":[`, () => '{}', ']}'),
    'unknown members': filled(`{${registration},`, (index) => `"tagz${index.toString(36)}":1`, '}'),
    'unknown members, as short as may be': filled(
      `{${registration},`,
      (index) => `"${index.toString(36)}":1`,
      '}',
    ),
    'metadata that is too long': filled(
      `{${registration},"metadata":{`,
      (index) => `"${index.toString(36)}":1`,
      '}}',
    ),
    'texts for dependencies': filled(`{${registration},"dependencies":[`, () => '"depends"', ']}'),
    'texts for tags': filled(`{${registration},"tags":[`, (index) => `"tag${index}"`, ']}'),
    'numbers for metadata': filled(`{${registration},"metadata":[`, () => '1234567', ']}'),
    'arrays in arrays': `{"tags":${'['.repeat(524_000)}${']'.repeat(524_000)}}`,
    'objects in objects': `{"metadata":${'{"a":'.repeat(170_000)}1${'}'.repeat(170_000)}}`,
    'objects of one member, each another': filled('[', (index) => `{"${index.toString(36)}":1}`, ']'),
    'empty objects': filled('[', () => '{}', ']'),
    'a long text': `{${registration},"description":"${'x'.repeat(1_000_000)}"}`,
    'a long text of blanks': `{"serviceName":"${' '.repeat(1_000_000)}","version":"1","endpoint":"http://x"}`,
    'a long endpoint': `{"serviceName":"bd","version":"1","endpoint":"http://${'x'.repeat(1_000_000)}"}`,
    'a long key': `{"${'k'.repeat(1_000_000)}":1}`,
    'wrong texts under a long key': `{"${'k'.repeat(1_000_000)}":[${Array(64).fill('"\\u0000"')}]}`,
    'a number of 500,000 digits': `{${registration},"ttlSeconds":${'9'.repeat(500_000)}}`,
    'many long integers': filled(`{${registration},"tags":[`, () => '12345678901234567', ']}'),
    'many long integers that are exact': filled(`{${registration},"tags":[`, () => '9007199254740994', ']}'),
    'no JSON': filled('[', () => '"x"', ''),
    'half of surrogate pairs': filled('[', () => '"\\ud800"', ']'),
  }),
  ...onPath('/register?dryRun=true', {
    'dependencies of the wrong type': inField('dependencies'),
    'tags of the wrong type': inField('tags'),
  }),
  ...onPath('/register/batch', {
    'too many items': ones('[', ']'),
    'too many texts': filled('[', () => '"cart123"', ']'),
    'too many items inside': ones('{"services":[', ']}'),
  }),
  ...onPath('/knowledge-graph/simulate', {
    'remove of the wrong type': ones('{"remove":[', ']}'),
    'register of the wrong type': ones('{"register":[', ']}'),
    'changeVersion of the wrong type': ones('{"changeVersion":[', ']}'),
    'texts to remove': filled('{"remove":[', (index) => `"cart${index}"`, ']}'),
    'texts to register': filled('{"register":[', (index) => `"cart${index}"`, ']}'),
    'texts for changeVersion': filled('{"changeVersion":[', (index) => `"cart${index}"`, ']}'),
    'a registration that is wrong': `{"register":[${inField('dependencies').slice(0, -20)}]}]}`,
    'unknown members': filled('{', (index) => `"remove${index.toString(36)}":1`, '}'),
    'a long name': `{"remove":["${'ü'.repeat(500_000)}"]}`,
  }),
  ...onPath('/register/ID/migration', {
    'a migrationFile that is too long': ones('{"migrationFile":{"tables":[', ']}}'),
    'a migrationFile of the wrong type': ones('{"migrationFile":[', ']}'),
    'unknown members': filled('{', (index) => `"migrationfile${index.toString(36)}":1`, '}'),
  }),
  ...(['PUT', 'PATCH'] as const).flatMap((method) =>
    ['nodes/team:a', 'edges/team:a,owns,team:b'].flatMap((place) =>
      [
        ones('{"properties":[', ']}'),
        filled('{"properties":{', (index) => `"${index.toString(36)}":null`, '}}'),
        filled('{', (index) => `"propertiez${index.toString(36)}":1`, '}'),
      ].map((body, index) => ({
        what: ['properties of the wrong type', 'properties that are too long', 'unknown members'][
          index
        ] as string,
        method,
        path: `/knowledge-graph/${place}`,
        body,
      })),
    ),
  ),
  { what: 'items of the wrong type', method: 'PUT', path: '/services/ID/heartbeat', body: ones('[', ']') },
  {
    what: 'unknown members',
    method: 'PUT',
    path: '/services/ID/heartbeat',
    body: filled('{', (index) => `"statuz${index.toString(36)}":1`, '}'),
  },
]

/** Batches are answered with 200, and with one result for each item. */
export const wrongBatches: Readonly<Record<string, string>> = {
  'items that are wrong in 121 ways each': `[${Array(1_000).fill(wrongItem)}]`,
  'items with 40 misspelt fields each': `[${Array.from({ length: 1_000 }, (_, item) => misspelt(item))}]`,
  'items that are none': `[${Array(1_000).fill('1')}]`,
}
