// Loaded into a coordinator by `--import`: says at SIGUSR2 for how long its main thread has worked in one turn of the event loop.

let workedMs = 0
let longestMs = 0

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

// Time of the thread, not of the clock: what a busy machine does for others is no long turn. A turn of more than a millisecond
// has one tick.
setInterval(() => {
  const now = threadMs()
  longestMs = Math.max(longestMs, now - workedMs)
  workedMs = now
}, 1).unref()

process.on('SIGUSR2', () => {
  process.stderr.write(`longest turn ${longestMs.toFixed(1)} ms\n`)
  longestMs = 0
  workedMs = threadMs()
})
