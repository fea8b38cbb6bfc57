// Loaded into every coordinator that a test starts. However the test ends, by a key press or killed, its end of the channel
// closes with it, and no coordinator is left alive that nobody will ever stop.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// The channel must not keep a process alive that has nothing more to do.
process.channel?.unref()
