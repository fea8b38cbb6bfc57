import { listParameters, listQueryOf } from '../../src/http/reading/list-query.ts'
import { parseQuery, type QueryValues } from '../../src/http/reading/read-query.ts'
import type { ListQuery } from '../../src/registry/list/list-query.ts'

/** Reads the parameters of a list as the server reads its query string. @throws COORD_QUERY_INVALID with every problem */
export function parseListQuery(values: QueryValues): ListQuery {
  return listQueryOf(parseQuery(listParameters, values))
}
