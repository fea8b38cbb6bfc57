import { pagesOfLargeServices } from './page-bytes.ts'

pagesOfLargeServices(20)
