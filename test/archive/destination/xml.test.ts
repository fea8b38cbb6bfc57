import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { childrenOf, parseXml, textOf } from '../../../src/archive/destination/xml.ts'
import { dearness } from '../../support/dearness.ts'

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

describe('the XML of S3', () => {
  test('gives elements and texts, whatever the texts are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        const xml = `<?xml version="1.0"?>\n<List xmlns="http://x">${texts.map((text) => `<Key>${escaped(text)}</Key><Empty/>`).join('\n')}</List>\n`
        const root = parseXml(xml)
        expect(childrenOf(root, 'Key').map(({ text }) => text)).toEqual(texts)
        expect(childrenOf(root, 'Empty')).toHaveLength(texts.length)
      }),
    )
  })

  test('knows the entities of XML, and leaves others as they are', () => {
    expect(textOf(parseXml('<a><b>&lt;&gt;&amp;&quot;&apos;&#x1F600;&nbsp;&#x110000;</b></a>'), 'b')).toBe(
      `<>&"'\u{1F600}&nbsp;&#x110000;`,
    )
  })

  test.each([
    '',
    'text',
    '<a>',
    '<a></b>',
    '</a>',
    '<a></a><b></b>',
    '<a><b></a></b>',
    '<!DOCTYPE a><a></a>',
    '<a><!-- comment --></a>',
    '<a><![CDATA[x]]></a>',
    '<a><?php ?></a>',
    '<a b="<"></a>',
    '<a>'.repeat(100) + '</a>'.repeat(100),
  ])('%s is nothing', (xml) => {
    expect(parseXml(xml)).toBeUndefined()
  })

  test('takes no longer for a text that was made to take long', () => {
    const size = 2_000_000
    const texts = [
      '<a '.repeat(size / 3),
      `<${'a'.repeat(size)}`,
      `<a ${' '.repeat(size)}`,
      `<?xml ${'?'.repeat(size)}`,
      '&'.repeat(size),
    ]
    const { user: before } = process.cpuUsage()
    for (const text of texts) expect(parseXml(text)).toBeUndefined()
    expect((process.cpuUsage().user - before) / 1_000).toBeLessThan(2_000 * dearness())
  })

  test('never throws', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ' ',
      '&',
      '#',
      ';',
      '"',
      '<a>',
      '</a>',
      '<a/>',
      '<?xml?>',
      '<!',
      '&#x41;',
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(() => parseXml(pieces.join(''))).not.toThrow()
      }),
      { numRuns: 2_000 },
    )
  })
})
