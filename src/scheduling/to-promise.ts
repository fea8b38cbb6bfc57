/**
 * Runs a task; what it throws at once becomes a rejection. An async function around it would say the same, some turns later:
 * every registration would pay for them.
 */
export function toPromise<T>(task: () => Promise<T>): Promise<T> {
  try {
    return task()
  } catch (thrown) {
    return Promise.reject(thrown)
  }
}
