/** Loaded into a coordinator by a test: a fault that nothing catches, at a signal. */
process.on('SIGUSR2', () => {
  setImmediate(() => {
    throw new Error('a fault made by the test')
  })
})
process.on('SIGHUP', () => {
  void Promise.reject(new Error('a rejection made by the test'))
})
