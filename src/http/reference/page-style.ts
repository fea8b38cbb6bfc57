/** The style of the pages, light and dark. */
export const pageStyle = `
:root { color-scheme: light dark; --bg: #fbfbfa; --panel: #ffffff; --text: #1c2326; --soft: #5d6a70; --line: #e3e6e5; --accent: #0b7a75; --code: #f1f4f3;
  --get: #0b6bcb; --post: #12805c; --put: #a15c07; --patch: #7a4fb5; --delete: #c02f3b }
@media (prefers-color-scheme: dark) {
  :root { --bg: #14181a; --panel: #1b2124; --text: #e3e8e8; --soft: #93a1a6; --line: #2c3438; --accent: #45bdb5; --code: #222a2e;
    --get: #6db3f8; --post: #5fcb9f; --put: #e3a551; --patch: #b994ec; --delete: #f18086 } }
* { box-sizing: border-box }
html { scroll-behavior: smooth; scroll-padding-top: 1rem }
body { margin: 0; background: var(--bg); color: var(--text); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
a { color: var(--accent); text-decoration: none } a:hover { text-decoration: underline }
code, pre, .path, textarea, .try input, .try select { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .875em }
code { background: var(--code); border-radius: 4px; padding: .1em .35em; overflow-wrap: anywhere }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; overflow: auto; max-height: 28rem; margin: .5rem 0; line-height: 1.5 }
pre code { background: none; padding: 0 }
aside { position: fixed; inset: 0 auto 0 0; width: 19rem; overflow-y: auto; padding: 1.5rem 1.1rem 3rem; border-right: 1px solid var(--line); background: var(--panel); font-size: .9rem }
aside h1 { font-size: 1.1rem; margin: 0 0 .2rem } aside h1 small { color: var(--soft); font-weight: 400; font-size: .8rem; margin-left: .3rem }
aside h2 { font-size: .72rem; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 1.4rem 0 .4rem }
aside input { width: 100%; margin: .9rem 0 0; padding: .45rem .7rem; border: 1px solid var(--line); border-radius: 7px; background: var(--bg); color: var(--text); font: inherit }
#none { color: var(--soft) } aside ul { list-style: none; margin: 0; padding: 0 }
aside li a { display: flex; gap: .55rem; align-items: baseline; padding: .24rem .5rem; border-radius: 6px; color: var(--text) }
aside li a:hover { background: var(--code); text-decoration: none } aside li a.here { background: var(--code); color: var(--accent) }
main { margin-left: 19rem; padding: 2.2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 76rem }
.single main { margin: 0 auto; max-width: 60rem }
main > h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em }
.lead { color: var(--soft); font-size: 1.06rem; margin-top: 0; max-width: 46rem }
main h2 { font-size: 1.35rem; margin: 3rem 0 .2rem; text-transform: capitalize } .plain h2 { text-transform: none }
h4 { margin: 1.2rem 0 .35rem; font-size: .78rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft) }
.method { font: 700 .68rem/1 ui-monospace, SFMono-Regular, Menlo, monospace; letter-spacing: .03em; color: var(--soft); min-width: 3.1em }
.get { color: var(--get) } .post { color: var(--post) } .put { color: var(--put) } .patch { color: var(--patch) } .delete { color: var(--delete) }
article { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 1.15rem 1.4rem 1.2rem; margin: 1rem 0 }
article h3 { margin: 0; font-size: 1.06rem } article header { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: baseline }
article header .route { margin-left: auto; display: flex; gap: .55rem; align-items: baseline; overflow-wrap: anywhere } article header .method { font-size: .78rem; min-width: 0 }
article p { margin: .5rem 0; max-width: 52rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem } td, th { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-top: 1px solid var(--line) }
th { color: var(--soft); font-weight: 500; border: 0; font-size: .8rem } td:first-child { white-space: nowrap; width: 12rem } .answers td:first-child { width: 4rem } td p { margin: 0 }
.type { color: var(--soft); font-size: .85em } .must { color: var(--delete); font-size: .72rem; margin-left: .4rem }
.scope { color: var(--soft); font-size: .85rem }
.nested { padding-left: 1rem; border-left: 2px solid var(--line); margin: .2rem 0 .4rem }
details { margin-top: .5rem } summary { cursor: pointer; color: var(--accent); font-size: .9rem } summary:hover { text-decoration: underline }
.status { font-weight: 600; font-variant-numeric: tabular-nums } .s2 { color: var(--post) } .s3 { color: var(--get) } .s4 { color: var(--put) } .s5 { color: var(--delete) }
.try { border: 1px dashed var(--line); border-radius: 10px; padding: .9rem 1rem; margin-top: .5rem } .try label { display: grid; grid-template-columns: 11rem 1fr; gap: .7rem; align-items: center; margin: .35rem 0; font-size: .88rem }
.try input, .try select, .try textarea { width: 100%; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--bg); color: var(--text) } .try textarea { min-height: 11rem; display: block } .try .caution { border-left: 3px solid var(--put); padding-left: .7rem; margin: 0 0 .8rem; font-size: .9rem }
button { background: var(--accent); color: var(--panel); border: 0; border-radius: 7px; padding: .45rem 1.1rem; font: 600 .9rem/1.3 inherit; font-family: inherit; cursor: pointer; margin-top: .6rem } button.quiet { background: none; color: var(--soft); border: 1px solid var(--line); padding: .15rem .6rem; font-size: .75rem; margin: 0; float: right }
.notice { border-left: 3px solid var(--put); background: var(--panel); padding: .7rem 1rem; border-radius: 0 8px 8px 0; margin: 1.2rem 0; overflow-wrap: anywhere }
tr:target { background: var(--code) } article:target { border-color: var(--accent) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .9rem; margin: 1.6rem 0 } .cards a { display: block; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.1rem; color: var(--text) }
.cards a:hover { border-color: var(--accent); text-decoration: none } .cards b { display: block } .cards span { color: var(--soft); font-size: .88rem }
@media (max-width: 60rem) { aside { position: static; width: auto; border: 0; border-bottom: 1px solid var(--line); max-height: 60vh } main { margin: 0 } article header .route { margin-left: 0; width: 100% } .try label { grid-template-columns: 1fr; gap: .1rem } }
@media (max-width: 40rem) { td:first-child { white-space: normal; width: 8.5rem }
  .errors tr { display: grid; grid-template-columns: 3.2rem minmax(0, 1fr) } .errors tr:first-child { display: none } .errors td + td { border: 0; padding-top: 0 } .errors td:first-child { grid-column: 1 / -1; width: auto } .errors td:last-child { grid-column: 2 } .errors td:last-child::before { content: "Retry: " } }
`
