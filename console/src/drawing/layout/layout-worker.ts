import { layersLayout } from './layers-layout.ts'
import type { Layout, LayoutWanted } from './layout.ts'
import { stepsLayout } from './steps-layout.ts'

export type LayoutAnswer =
  | { readonly question: number; readonly layout: Layout }
  | { readonly question: number; readonly fault: string }

/** Lays drawings out beside the page, so that it never stops: two hundred boxes take up to a second. */
self.addEventListener('message', ({ data }: MessageEvent<{ question: number; wanted: LayoutWanted }>) => {
  const { question, wanted } = data
  let answer: LayoutAnswer
  try {
    answer = { question, layout: wanted.kind === 'steps' ? stepsLayout(wanted) : layersLayout(wanted) }
  } catch (error) {
    answer = { question, fault: error instanceof Error ? error.message : String(error) }
  }
  self.postMessage(answer)
})
