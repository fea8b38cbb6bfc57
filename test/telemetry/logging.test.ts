import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { CoordinatorError } from '../../src/errors.ts'
import { describeError } from '../../src/telemetry/describe-error.ts'
import { createLogger, type LoggingOptions } from '../../src/telemetry/logging.ts'

class Lines extends Writable {
  readonly isTTY: boolean
  text = ''

  constructor(isTTY = false) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }

  get json(): Record<string, unknown>[] {
    return this.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

async function loggerInto(destination: Lines, options: Partial<LoggingOptions> = {}) {
  return createLogger({ level: 'info', destination, ...options })
}

describe('the log', () => {
  it('is one JSON object a line with time, level and message where nobody watches', async () => {
    const lines = new Lines()
    const log = await loggerInto(lines)
    log.info({ port: 3000 }, 'listening')
    log.debug('not this')
    expect(lines.json).toEqual([
      { time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), level: 'info', port: 3000, msg: 'listening' },
    ])
  })

  it('is for people on a terminal', async () => {
    const lines = new Lines(true)
    const log = await loggerInto(lines)
    log.warn({ port: 3000 }, 'listening')
    await expect.poll(() => lines.text).toContain('listening')
    expect(lines.text).toMatch(/WARN/)
    expect(() => lines.json).toThrow(SyntaxError)
  })

  it('for people has the time, the level, the text and the members in one line, and errors below it', async () => {
    const lines = new Lines()
    const log = await loggerInto(lines, { format: 'pretty' })
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    log.error(
      { err: new CoordinatorError('COORD_STORE_UNAVAILABLE', { cause }), attempt: 2 },
      'commit failed',
    )
    const shown = lines.text.split('\n').filter((line) => !/^ +at /.test(line))
    expect(shown).toEqual([
      expect.stringMatching(/^\[\d\d:\d\d:\d\d\.\d{3}\] ERROR: commit failed {"attempt":2}$/),
      '    CoordinatorError: The database cannot be reached [COORD_STORE_UNAVAILABLE]',
      expect.stringMatching(/^ {4}Next: Ask again/),
      '    caused by Error: connect ECONNREFUSED [ECONNREFUSED]',
      '',
    ])
    expect(lines.text).toContain('        at ')
  })

  it('for people shows no character that could change a terminal or begin another line', async () => {
    vi.stubEnv('NO_COLOR', '')
    const lines = new Lines(true)
    const log = await loggerInto(lines, { format: 'pretty' })
    log.error(
      { name: 'a\u001b[2J\nb', err: new Error('c\u001b[31m\nd\u009b') },
      'e\r\n\u001b[0mINFO: all is well',
    )
    const plain = ['31', '36', '39', '90'].reduce(
      (text, color) => text.replaceAll(`\u001b[${color}m`, ''),
      lines.text,
    )
    expect(plain).toMatch(
      /^\S+ ERROR: e\\u000d\\u000a\\u001b\[0mINFO: all is well {"name":"a\\u001b\[2J\\nb"}\n {4}Error: c\\u001b\[31m\\u000ad\\u009b\n/,
    )
    expect(lines.text).toContain('\u001b[36m')
  })

  it('for people has no colours with NO_COLOR', async () => {
    vi.stubEnv('NO_COLOR', '1')
    const lines = new Lines(true)
    ;(await loggerInto(lines, { format: 'pretty' })).info('a')
    expect(lines.text).toMatch(/INFO: a\n$/)
    expect(lines.text).not.toContain('\u001b[')
  })

  it('takes the format that is asked for', async () => {
    const terminal = new Lines(true)
    ;(await loggerInto(terminal, { format: 'json' })).info('a')
    expect(terminal.json).toHaveLength(1)
    const file = new Lines()
    ;(await loggerInto(file, { format: 'pretty' })).info('a')
    await expect.poll(() => file.text).toMatch(/INFO.*a\n/)
    expect(file.text).not.toContain('\u001b[')
  })

  it('tells of something else that was thrown only what kind it is', () => {
    const things = [undefined, null, 'a secret', new Event('a secret'), { secret: 'a secret' }]
    const told = things.map((thing) => describeError(thing))
    expect(told.map(({ type }) => type)).toEqual(['undefined', 'object', 'string', 'Event', 'Object'])
    expect(JSON.stringify(told)).not.toContain('secret')
  })

  it('tells an error with code, hint and causes, and nothing else that hangs on it', async () => {
    const lines = new Lines()
    const log = await loggerInto(lines)
    const driver = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      connection: 'postgres://u:CaNaRy7f3a@host/db',
    })
    const cause = { cause: driver, sourceCode: '08006', outcome: 'not_written' } as const
    log.error({ err: new CoordinatorError('COORD_STORE_UNAVAILABLE', cause) }, 'commit failed')
    expect(lines.json[0]?.['err']).toEqual({
      type: 'CoordinatorError',
      message: 'The database cannot be reached',
      code: 'COORD_STORE_UNAVAILABLE',
      hint: expect.stringContaining('GET /database'),
      sourceCode: '08006',
      outcome: 'not_written',
      stack: expect.any(String),
      cause: {
        type: 'Error',
        message: 'connect ECONNREFUSED',
        code: 'ECONNREFUSED',
        stack: expect.any(String),
      },
    })
    expect(lines.text).not.toContain('CaNaRy7f3a')
  })

  it('does not repeat the URL that new URL could not read', async () => {
    const lines = new Lines()
    const log = await loggerInto(lines)
    try {
      new URL('postgres://u:CaNaRy7f3a@a:1,b:2/db')
      expect.unreachable()
    } catch (err) {
      log.error({ err }, 'no URL')
    }
    expect(lines.text).toContain('Invalid URL')
    expect(lines.text).not.toContain('CaNaRy7f3a')
  })

  it('ends a chain of causes that has no end', async () => {
    const lines = new Lines()
    const error = new Error('round')
    error.cause = error
    ;(await loggerInto(lines)).error({ err: error }, 'again')
    expect(lines.text.match(/"type":"Error"/g)).toHaveLength(6)
  })
})

describe('a log that cannot be written', () => {
  /** A log into a file descriptor. */
  function loggerOn(fd: number, onUnwritable: (error: Error) => void) {
    return createLogger({ level: 'info', destination: Object.assign(new Lines(), { fd }), onUnwritable })
  }

  it('is told once, and stops nobody, however much is logged', async () => {
    const full = fs.openSync('/dev/full', 'w')
    const told: Error[] = []
    const log = await loggerOn(full, (error) => told.push(error))
    for (let line = 0; line < 3_000; line += 1) log.info({ text: 'x'.repeat(1_000) }, 'served')
    expect(told).toMatchObject([{ code: 'ENOSPC' }])
    fs.closeSync(full)
  })

  it('has every line again that was kept, once there is room', async () => {
    const path = join(fs.mkdtempSync(join(tmpdir(), 'coordinator-')), 'log')
    const fd = fs.openSync(path, 'w')
    const log = await loggerOn(fd, () => undefined)
    const write = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    })
    log.info('first')
    log.info('second')
    write.mockRestore()
    log.info('third')
    const messages = fs.readFileSync(path, 'utf8').trimEnd().split('\n')
    expect(messages.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'first',
      'second',
      'third',
    ])
    fs.closeSync(fd)
    fs.rmSync(join(path, '..'), { recursive: true })
  })
})

describe('a secret in the log', () => {
  const secret = 'CaNa"R\\y/7f3a ü'

  it.each([
    ['in a message', (text: string) => [{}, `wrong: ${text}`]],
    ['in a member', (text: string) => [{ deep: { deeper: [text] } }, 'x']],
    ['in an error', (text: string) => [{ err: new Error(text, { cause: new Error(text) }) }, 'x']],
    ['in a URL', (text: string) => [{ url: `http://u:${encodeURIComponent(text)}@host` }, 'x']],
  ] as const)('%s is hidden', async (_where, make) => {
    for (const format of ['json', 'pretty'] as const) {
      const lines = new Lines()
      const log = await loggerInto(lines, { secrets: [secret], format })
      const [members, message] = make(secret) as [object, string]
      log.error(members, message)
      await expect.poll(() => lines.text).toContain('[hidden]')
      expect(lines.text).not.toContain('7f3a')
    }
  })

  it.each([
    ['sb_secret_abcDEF_123-x', 'sb_secret_[hidden]'],
    ['cdt_0123456789AB_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ0aZb19', 'cdt_0123456789AB_[hidden]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl', 'eyJ[hidden]'],
    ['postgres://user:pass@word@host/db', 'postgres://user:[hidden]@host/db'],
  ])('is hidden by its looks even where nobody named it: %s', async (text, shown) => {
    const lines = new Lines()
    ;(await loggerInto(lines)).info(`got ${text} there`)
    expect(lines.json[0]?.['msg']).toBe(`got ${shown} there`)
  })

  it.each(['password', 'apikey', 'authorization', 'cookie', 'body', 'headers'])(
    'in a member %s is hidden',
    async (name) => {
      const lines = new Lines()
      ;(await loggerInto(lines)).info({ [name]: 'CaNaRy', request: { [name]: { x: 'CaNaRy' } } }, 'x')
      expect(lines.json[0]).toMatchObject({ [name]: '[hidden]', request: { [name]: '[hidden]' } })
    },
  )

  it('that is an ordinary word does not eat that word elsewhere', async () => {
    const lines = new Lines()
    ;(await loggerInto(lines, { secrets: ['postgres', 'a'] })).info({ backend: 'postgres' }, 'ready')
    expect(lines.json[0]).toMatchObject({ backend: 'postgres', msg: 'ready' })
  })
})
