/**
 * What a page may do. It needs nothing from other servers, and must not load anything from them, nor be shown in a frame of another page.
 * Scripts and styles are files: a page with a text of somebody else in it cannot run that text.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** Headers of every page for browsers, and of its scripts: a worker has the policy of its own file. */
export const pageHeaders: readonly string[] = [
  ...['Content-Security-Policy', policy],
  ...['Referrer-Policy', 'no-referrer'],
]

export const HTML_TYPE = 'text/html; charset=utf-8'
