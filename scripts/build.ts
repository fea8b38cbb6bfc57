import { buildInto } from './build-into.ts'
import { replaceFolder } from './replace-folder.ts'

await replaceFolder('dist', buildInto)
