import { buildInto } from './build-into.ts'

buildInto('dist')
