// Linux does not deliver a signal to process 1 of a container until that process handles it. Without a handler, a container that is stopped
// while the coordinator loads would be killed ten seconds later, and Ctrl+C would not end a command.
/** @type {Record<string, number>} */
const exitCodes = { SIGTERM: 143, SIGINT: 130 }

if (process.pid === 1) for (const [signal, code] of Object.entries(exitCodes)) endAt(signal, code)

/**
 * Ends the process as the signal would end any other one, unless the program handles it by then.
 *
 * @param {string} signal
 * @param {number} code
 */
function endAt(signal, code) {
  process.on(signal, () => process.listenerCount(signal) === 1 && process.exit(code))
}
