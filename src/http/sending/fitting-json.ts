import type { Completeness } from '../../graph/questions/answer.ts'
import { PageBudget } from '../../live/questions/page-budget.ts'
import { Pace } from '../../scheduling/pace.ts'

/**
 * Writes an answer with long lists as JSON text, in several turns of the event loop. If the text would be larger than a page may be, the
 * lists are cut, `complete` is false and `truncated` is `size`.
 *
 * @param answer members of the answer; the arrays among them are its lists
 * @throws COORD_QUESTION_* when nobody waits for the answer any more
 */
export async function fittingJson(answer: object & Partial<Completeness>): Promise<string> {
  const { complete, truncated, ...members } = answer
  const budget = new PageBudget()
  const pace = new Pace()
  let cut = false
  let text = '{"success":true'
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue
    text += `,${JSON.stringify(name)}:`
    if (!Array.isArray(value)) {
      text += JSON.stringify(value)
      continue
    }
    let list = ''
    for (const item of value) {
      const json = JSON.stringify(item)
      if (!budget.take(json)) {
        cut = true
        break
      }
      list += list === '' ? json : `,${json}`
      if (pace.due) await pace.turn()
    }
    text += `[${list}]`
  }
  if (cut) text += ',"complete":false,"truncated":"size"'
  else if (complete !== undefined)
    text += `,"complete":${complete}${truncated === undefined ? '' : `,"truncated":"${truncated}"`}`
  return `${text}}`
}
