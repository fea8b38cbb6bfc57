/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** The small part of Markdown that descriptions use: paragraphs and `code`. */
export function proseHtml(markdown: string): string {
  return markdown
    .split('\n\n')
    .map((paragraph) => `<p>${inlineHtml(paragraph)}</p>`)
    .join('')
}

/** One line of it. */
export function inlineHtml(markdown: string): string {
  return escapeHtml(markdown).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

export interface Page {
  readonly title: string
  /** The column at the side; absent on small pages. */
  readonly aside?: string
  readonly main: string
  /** A script in the folder `docs`. */
  readonly script?: string
}

/**
 * A whole page. URLs that begin with `./` are meant relative to the root of the coordinator, and are made right for the address of the page
 * by `fromRoot`.
 */
export function pageHtml({ title, aside, main, script }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cg fill='none' stroke='%230b7a75' stroke-width='3'%3E%3Ccircle cx='16' cy='16' r='5'/%3E%3Cpath d='M16 11V3M20.300 18.500l7 4M11.700 18.500l-7 4'/%3E%3C/g%3E%3C/svg%3E">
<link rel="stylesheet" href="./docs/style.css">
</head>
<body${aside === undefined ? ' class="single"' : ''}>
${aside === undefined ? '' : `<aside>${aside}</aside>`}
<main>${main}</main>
${script === undefined ? '' : `<script src="./docs/${script}"></script>`}
</body>
</html>
`
}

/** The page for an address from where this relative URL leads to the root. No text can be mistaken for a URL, because its quotes are escaped. */
export function fromRoot(page: string, root: string): string {
  return root === './' ? page : page.replaceAll('="./', `="${root}`)
}
