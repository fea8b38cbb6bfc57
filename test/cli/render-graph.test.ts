import { describe, expect, it } from 'vitest'
import { renderPaths, renderSimulation } from '../../src/cli/render-graph.ts'

describe('answers of the graph that are not complete', () => {
  it('are not told as a no', () => {
    const asked = { from: 'service:a', to: 'service:b', paths: [], revision: 7 }
    expect(renderPaths({ ...asked, complete: false, truncated: 'budget' })).toMatch(
      /^Whether service:a needs service:b was not found out, at revision 7\.\nThe list is not complete: /,
    )
    expect(renderPaths({ ...asked, complete: true })).toBe(
      'service:a does not need service:b, at revision 7.\n',
    )
  })

  it('are not told as a yes', () => {
    const nothing = {
      safe: true,
      lostProviders: [],
      brokenConsumers: [],
      affected: 0,
      violatedRanges: [],
      newCycles: [],
      unknownDependencies: [],
      revision: 7,
    }
    expect(renderSimulation({ ...nothing, complete: false, truncated: 'budget' })).toBe(
      'Nothing was found that would break, at revision 7.\nNot every new circle was looked for. Ask about fewer services at once.\n',
    )
    const violation = {
      consumer: 'service:a',
      dependency: 'service:b',
      range: '^1',
      versions: ['2.0.0'],
      versionsTotal: 1,
    }
    expect(
      renderSimulation({ ...nothing, safe: false, violatedRanges: [violation], complete: true }),
    ).toMatch(/^1 problem at revision 7; 0 nodes would lose something, directly or through others\.\n/)
  })
})
