import { answerQuestions } from '../workers/answer-questions.ts'
import { placeItems } from './place-items.ts'

// The worker that graphology brings is made of a blob, which the policy of the coordinator does not allow.
answerQuestions(placeItems)
