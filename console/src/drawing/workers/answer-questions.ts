/** The worker's side of `WorkerTurns`: answers each question, or says why not. */
export function answerQuestions<Wanted, Result>(work: (wanted: Wanted) => Result): void {
  self.addEventListener('message', ({ data }: MessageEvent<{ question: number; wanted: Wanted }>) => {
    const { question, wanted } = data
    try {
      self.postMessage({ question, result: work(wanted) })
    } catch (error) {
      self.postMessage({ question, fault: error instanceof Error ? error.message : String(error) })
    }
  })
}
