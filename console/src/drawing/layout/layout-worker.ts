import { answerQuestions } from '../workers/answer-questions.ts'
import { layersLayout } from './layers-layout.ts'
import type { Layout, LayoutWanted } from './layout.ts'
import { stepsLayout } from './steps-layout.ts'

answerQuestions<LayoutWanted, Layout>((wanted) =>
  wanted.kind === 'steps' ? stepsLayout(wanted) : layersLayout(wanted),
)
