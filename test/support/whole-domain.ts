/** What a coordinator keeps over its records: the registry and the graph. */
export { domain as wholeDomain } from '../../src/registry/domain.ts'
