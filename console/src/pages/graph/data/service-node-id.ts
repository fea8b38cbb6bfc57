const DEFAULT_NAMESPACE = 'default'

/** The id of a service in the graph: docs/knowledge-graph.md, "Nodes and edges" and "Namespaces". */
export function serviceNodeId(name: string, namespace: string | undefined): string {
  const part = encodeURIComponent(name)
  return namespace === undefined || namespace === DEFAULT_NAMESPACE
    ? `service:${part}`
    : `service:@${encodeURIComponent(namespace)}:${part}`
}
