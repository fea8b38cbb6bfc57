import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFormat } from '../../../src/cli/formats/read-format.ts'
import { CoordinatorError } from '../../../src/errors.ts'
import { parseRegistration } from '../../../src/records/service/parse-registration.ts'
import { read, unreadableIn } from './read.ts'

/** Reads a text in every format; only an error with a code may come out. */
function readAnyway(text: string): void {
  for (const format of [undefined, 'compose', 'kubernetes', 'backstage'] as const) {
    try {
      const reading = readFormat(text, { file: 'compose.yaml', format })
      for (const service of reading?.services ?? []) parseRegistration(service)
    } catch (thrown) {
      if (!(thrown instanceof CoordinatorError)) throw thrown
    }
  }
}

const times = (text: string, count: number) => text.repeat(count)

describe('formats: hostile files', () => {
  it('refuses aliases that expand to billions of values', () => {
    const levels = Array.from(
      { length: 30 },
      (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(', ')}]`,
    )
    const text = `a0: &a0 [x, x]\n${levels.join('\n')}\nservices: {a: {environment: *a30}}`
    expect(unreadableIn(text)).toEqual(['line 1: its aliases expand to more than 16 Mi characters'])
  })

  it('refuses merge keys that copy a large map many times', () => {
    const keys = Array.from({ length: 5_000 }, (_, at) => `k${at}: v`).join(', ')
    const text = `x: &x {${keys}}\nservices:\n${Array.from({ length: 2_000 }, (_, at) => `  s${at}: {<<: *x}`).join('\n')}`
    expect(unreadableIn(text)).toEqual(['line 1: its aliases expand to more than 16 Mi characters'])
  })

  it('refuses an alias of itself, and one of nothing', () => {
    expect(unreadableIn('services: &a {b: *a}')).toEqual([
      'line 1: nothing before the alias *a has that anchor',
    ])
    expect(unreadableIn('services: {b: {<<: [text]}}')).toEqual([
      'line 1: it merges (<<) something that is not a map',
    ])
    expect(unreadableIn('services: {b: {}, b: {}}')).toEqual(['line 1: it has the key b twice'])
  })

  it('refuses millions of levels without taking memory for them', () => {
    const tooDeep = ['the rest of the file: it has more than 100 levels of maps and lists']
    for (const open of ['[', '{a: ', '- '])
      expect(unreadableIn(`services:\n${times(open, 1_000_000)}`)).toEqual(tooDeep)
    const json = `{"services": {"a": ${times('[', 5_000)}${times(']', 5_000)}}}`
    expect(unreadableIn(json, { format: 'compose' })).toEqual([
      'the file: it has more than 100 levels of maps and lists',
    ])
  })

  it('refuses files that are too large, and files that use a part of themselves too often', () => {
    expect(() => read(`services:\n${times('# x\n', 2_200_000)}`)).toThrow('at most 8 MiB as YAML')
    const keys = Array.from({ length: 20_000 }, (_, at) => `      K${at}: v`).join('\n')
    const many = Array.from({ length: 5_000 }, (_, at) => `  s${at}: {extends: base}`).join('\n')
    expect(() => read(`services:\n  base:\n    environment:\n${keys}\n${many}`)).toThrow(
      'takes too long to read',
    )
  })

  it('keeps only the first errors of a text that is no YAML', () => {
    expect(unreadableIn(`services:\n${times('\ta:\n', 50_000)}`)).toEqual([
      expect.stringContaining('is not YAML'),
    ])
  })

  it('reads a file of 5 MiB', () => {
    const text = `services:\n  a:\n    image: a\n    environment:\n${times('      - "A=http://b:1 and more"\n', 165_000)}  b: {image: b}`
    expect(text.length).toBeGreaterThan(5 * 1024 * 1024)
    expect(read(text).services[0]).toMatchObject({ dependencies: [{ serviceName: 'b', type: 'http' }] })
  }, 60_000)

  it('searches long texts in time that grows with their length', () => {
    for (const part of [
      'a-',
      'a://',
      'a://b',
      'a://b@',
      `$\{a:-`,
      `$\{a} $b $$ $\{ `,
      '.',
      ':1',
      '/a',
      'localhost:',
    ])
      readAnyway(
        `services: {a: {image: "${times(part, 20_000)}", environment: {X_HOST: "${times(part, 20_000)}"}, healthcheck: {test: "${times(part, 20_000)}"}}}`,
      )
  }, 60_000)

  it('never fails without a code, whatever the text is', () => {
    const words = fc.constantFrom(
      ...[
        'services',
        'apiVersion',
        'kind',
        'metadata',
        'name',
        'spec',
        'containers',
        'template',
        'env',
        'image',
      ],
      ...[
        'depends_on',
        'ports',
        'environment',
        'extends',
        'items',
        'labels',
        'selector',
        'backstage.io/v1',
        'v1',
      ],
      ...[
        'Service',
        'Component',
        'Deployment',
        '<<',
        '*a',
        '&a',
        '{{ x }}',
        `$\{X}`,
        '$$',
        '__proto__',
        'constructor',
      ],
      ...[
        ': ',
        '- ',
        '\n',
        '\n  ',
        '\n    ',
        '{',
        '}',
        '[',
        ']',
        ',',
        '"',
        "'",
        '|',
        '>',
        '---\n',
        '#',
        '!',
        '?',
        '\t',
      ],
      ...[
        'null',
        '~',
        '80',
        '80:80/udp',
        'http://a:1',
        '\ud800',
        '\0',
        '\u200b',
        '%YAML 1.1\n',
        '!!binary x',
        '!!set',
      ],
    )
    fc.assert(
      fc.property(fc.array(words, { maxLength: 60 }), (parts) => readAnyway(parts.join(''))),
      { numRuns: 300 },
    )
  }, 60_000)

  it('never fails without a code, whatever stands in the places that it reads', () => {
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, '', 'a', 'b:1', 'a=b', 80, true, -1, '\0', '\ud800'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'a',
            'b',
            'name',
            'target',
            'test',
            'service',
            'file',
            'spec',
            'containers',
            '__proto__',
            'constructor',
          ),
          tie('value'),
          { maxKeys: 4 },
        ),
      ),
    })).value
    const memberOf = (...names: string[]) =>
      fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
    const compose = memberOf(
      'image',
      'ports',
      'expose',
      'environment',
      'labels',
      'depends_on',
      'links',
      'extends',
      'networks',
      'healthcheck',
      'profiles',
      'command',
      'env_file',
      'volumes_from',
      'network_mode',
    )
    const container = memberOf('image', 'ports', 'env', 'envFrom', 'args', 'command', 'readinessProbe')
    fc.assert(
      fc.property(compose, value, container, value, (service, name, first, other) => {
        readAnyway(
          JSON.stringify({ name, services: { a: service, b: other, [JSON.stringify(name)]: service } }),
        )
        const pod = { metadata: other, spec: { containers: [first, other] } }
        readAnyway(
          JSON.stringify({
            apiVersion: 'v1',
            kind: 'List',
            items: [
              {
                apiVersion: 'v1',
                kind: 'Deployment',
                metadata: { name: 'a', labels: other },
                spec: { template: pod },
              },
              { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: other },
              other,
            ],
          }),
        )
        readAnyway(
          JSON.stringify({
            apiVersion: 'backstage.io/v1',
            kind: 'Component',
            metadata: { name: 'a', tags: other, links: name },
            spec: { owner: other, dependsOn: name, system: other },
          }),
        )
      }),
      { numRuns: 300 },
    )
  }, 60_000)
})
