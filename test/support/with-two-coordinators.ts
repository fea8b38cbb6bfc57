import { MemoryStore } from '../../src/database/memory/store.ts'
import { KnowledgeGraph } from '../../src/graph/knowledge-graph.ts'
import { Live } from '../../src/live/live.ts'
import { Registry } from '../../src/registry/registry.ts'
import { wholeDomain } from './whole-domain.ts'

export interface Coordinator {
  readonly live: Live
  readonly registry: Registry
  readonly graph: KnowledgeGraph
}

/** Runs a test with two coordinators on one store; the second one hears of the first one's commits only when it asks. */
export async function withTwoCoordinators(
  run: (first: Coordinator, second: Coordinator) => Promise<void>,
): Promise<void> {
  const store = new MemoryStore()
  const open = (pollMs: number): Coordinator => {
    const live = new Live(store, wholeDomain, { pollMinMs: pollMs, pollMaxMs: pollMs })
    return { live, registry: new Registry(live), graph: new KnowledgeGraph(live) }
  }
  const [first, second] = [open(100), open(600_000)]
  try {
    for (const { live } of [first, second]) await live.start()
    await run(first, second)
  } finally {
    for (const { live, graph } of [first, second]) {
      await graph.close()
      await live.stop()
    }
  }
}
