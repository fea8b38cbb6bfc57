/**
 * Runs a task. An error that it throws at once becomes a rejection. An async function around it would do the same, but some turns later,
 * and every registration would pay for them.
 */
export function toPromise<T>(task: () => Promise<T>): Promise<T> {
  try {
    return task()
  } catch (thrown) {
    return Promise.reject(thrown)
  }
}
