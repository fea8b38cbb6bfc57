// Plain JavaScript: `npm ci --omit=dev` runs this with the Node.js of the machine, which may be an older one.
const reason = reasonToSkip()
if (reason === undefined) {
  const { buildConsole } = await import('./build-console.ts')
  const { replaceFolder } = await import('./replace-folder.ts')
  const started = performance.now()
  await replaceFolder('dist/console', buildConsole)
  process.stdout.write(
    `console: built into dist/console (${((performance.now() - started) / 1000).toFixed(1)} s)\n`,
  )
} else {
  process.stdout.write(`console: skipped: ${reason}\n`)
}

/** @returns {string | undefined} why the console cannot be built here */
function reasonToSkip() {
  try {
    import.meta.resolve('vite')
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    return 'Vite is not installed'
  }
  if (!process.features.typescript) return `it needs Node.js 24, and this is ${process.version}`
  return undefined
}
