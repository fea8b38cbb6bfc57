/** An element of an XML text. Attributes are not kept. */
export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  /** The text between its children. */
  readonly text: string
}

const DEPTH_MAX = 16

/** A tag, or a text between tags. Neither can hold another `<`. */
const token = /<(\/?)([A-Za-z_][\w:.-]*)(?:\s[^<>]*?)?(\/?)>|[^<]+/y

const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

interface OpenElement {
  readonly name: string
  readonly children: XmlElement[]
  text: string
}

/**
 * Reads the XML that servers of S3 send: elements and texts. Whatever else XML can have is refused: declarations of entities can make a
 * small text large, or name files of this machine.
 *
 * @returns the root; `undefined` if the text is something else
 */
export function parseXml(xml: string): XmlElement | undefined {
  const open: OpenElement[] = [{ name: '', children: [], text: '' }]
  token.lastIndex = xml.match(/^\uFEFF?\s*(?:<\?xml[^<>]*\?>)?/)?.[0].length ?? 0
  while (token.lastIndex < xml.length) {
    const match = token.exec(xml)
    const top = open.at(-1) as OpenElement
    if (match === null) return undefined
    const [text, closing, name, empty] = match
    if (name === undefined) top.text += decoded(text)
    else if (closing === '/') {
      if (top.name !== name || open.length === 1) return undefined
      open.pop()
      open.at(-1)?.children.push(top)
    } else if (empty === '/') top.children.push({ name, children: [], text: '' })
    else if (open.length > DEPTH_MAX) return undefined
    else open.push({ name, children: [], text: '' })
  }
  const [root] = open[0]?.children ?? []
  return open.length === 1 && open[0]?.children.length === 1 ? root : undefined
}

/** The children of an element with a name. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? []
}

/** The text of the child with a name; `undefined` if there is none. */
export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  return childrenOf(element, name)[0]?.text
}

function decoded(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{1,5}));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return names[name] ?? whole
      const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole
    },
  )
}
