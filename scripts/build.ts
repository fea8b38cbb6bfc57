import { buildInto } from './build-into.ts'

await buildInto('dist')
