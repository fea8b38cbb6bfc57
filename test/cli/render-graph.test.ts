import { describe, expect, it } from 'vitest'
import {
  renderCritical,
  renderCycles,
  renderDiff,
  renderPaths,
  renderReach,
  renderSimulation,
} from '../../src/cli/graph/render-graph.ts'

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
      unjudged: 0,
      unjudgedRanges: [],
      newCycles: [],
      unknownDependencies: [],
      revision: 7,
    }
    expect(renderSimulation({ ...nothing, complete: false, truncated: 'budget' })).toBe(
      'Nothing was found that would break, at revision 7.\nNot every new circle was looked for. Ask about fewer services at once.\n',
    )
    expect(renderSimulation({ ...nothing, complete: false, truncated: 'limit' })).toBe(
      'Nothing was found that would break, at revision 7.\nThere are more than the first 1,000 of a kind that are listed.\n',
    )
    expect(renderSimulation({ ...nothing, complete: true })).toBe('Nothing would break, at revision 7.\n')
    const unjudgedRanges = [
      {
        consumer: 'service:a',
        dependency: 'service:b',
        range: '^1',
        versions: ['latest'],
        versionsTotal: 1,
      },
    ]
    expect(renderSimulation({ ...nothing, unjudged: 1, unjudgedRanges, complete: true })).toBe(
      [
        'Nothing would break, at revision 7.',
        '1 range cannot be judged, because a version or the range cannot be compared:',
        'VERDICT   NODE       WHAT',
        'unjudged  service:a  service:b ^1: there would be latest',
        '',
      ].join('\n'),
    )
  })

  it('name everything that was found all the same, and say that there is more', () => {
    const found = {
      safe: false,
      lostProviders: [],
      brokenConsumers: [
        { id: 'service:c', label: 'c', type: 'depends_on', namespace: 'default', loses: 'service:d' },
      ],
      affected: 1,
      violatedRanges: [
        {
          consumer: 'service:a',
          dependency: 'service:b',
          range: '^1',
          versions: ['2.0.0', '3.0.0'],
          versionsTotal: 2,
        },
      ],
      unjudged: 0,
      unjudgedRanges: [],
      newCycles: [['service:e', 'service:f']],
      unknownDependencies: [{ consumer: 'service:g', dependency: 'service:h' }],
      revision: 7,
    }
    const rows = [
      '4 problems at revision 7; 1 node would lose something, directly or through others.',
      'PROBLEM  NODE       WHAT',
      'loses    service:c  service:d',
      'version  service:a  service:b ^1: there would be 2.0.0, 3.0.0',
      'cycle    service:e  service:e > service:f > service:e',
      'unknown  service:g  service:h',
      '',
    ].join('\n')
    expect(renderSimulation({ ...found, complete: true })).toBe(rows)
    expect(renderSimulation({ ...found, complete: false, truncated: 'budget' })).toBe(
      `${rows}Not every new circle was looked for. Ask about fewer services at once.\n`,
    )
  })
})

describe('answers of the graph as tables', () => {
  const node = (id: string) => ({ id: `service:${id}`, label: id, type: 'service', namespace: 'default' })

  it('say in which direction a node is needed', () => {
    const nodes = [{ ...node('b'), distance: 2, via: ['service:x'] }]
    const answer = { of: 'service:a', nodes, total: 1, revision: 3, complete: true }
    const table = 'STEPS  NODE       BY WAY OF\n2      service:b  service:x\n'
    expect(renderReach('impact', answer)).toBe(`1 node cannot do without service:a, at revision 3.\n${table}`)
    expect(renderReach('dependencies', answer, { type: 'service', depth: '4' })).toBe(
      `service:a cannot do without 1 node of type service within depth 4, at revision 3.\n${table}`,
    )
    expect(renderReach('impact', { ...answer, total: 9, complete: false, truncated: 'limit' })).toBe(
      `9 nodes cannot do without service:a, at revision 3.\n${table}The list is not complete: ask with a larger --limit.\n`,
    )
    expect(renderReach('impact', { ...answer, complete: false, truncated: 'size' })).toContain(
      'The list is not complete: the answer would be too large. Ask for less, such as with a smaller --depth.\n',
    )
  })

  it('count what falls apart, and list what most others need beside it', () => {
    const critical = {
      articulationPoints: [{ ...node('a'), cutsOff: 5 }],
      articulationPointsTotal: 2,
      mostDependedOn: [{ ...node('b'), direct: 3, dependents: 4 }],
      mostDependedOnTotal: 1,
      revision: 3,
      complete: false,
      truncated: 'limit' as const,
    }
    expect(renderCritical(critical)).toBe(
      [
        '2 nodes without which the graph falls apart, at revision 3.',
        'NODE       CUTS OFF',
        'service:a  5',
        'The list is not complete: ask with a larger --limit.',
        '',
        'What most others need:',
        'NODE       DIRECTLY  ALL',
        'service:b  3         4',
        '',
      ].join('\n'),
    )
  })

  it('close a circle at its beginning', () => {
    const cycles = [{ size: 3, nodes: ['a', 'b', 'c'], example: ['a', 'b'] }]
    expect(renderCycles({ cycles, total: 1, revision: 3, complete: true })).toBe(
      '1 cycle at revision 3.\nNODES  A SHORTEST CIRCLE\n3      a > b > a\n',
    )
  })

  it('name of a difference every commit, and who made the last one, as far as that was proved', () => {
    const at = '2026-01-01T00:00:00.000Z'
    const answer = {
      from: 1,
      to: 4,
      nodes: [{ change: 'changed' as const, id: 'service:a', revisions: [2, 4] }],
      edges: [{ change: 'removed' as const, id: 'e', revisions: [3] }],
      nodesTotal: 1,
      edgesTotal: 1,
      commits: [2, 3, 4].map((revision) => ({
        ...{ revision, at, actor: `by${revision}`, commitId: 'c' },
        ...(revision < 4 ? { unproven: true as const } : {}),
      })),
      complete: true,
    }
    expect(renderDiff(answer)).toBe(
      [
        '1 node and 1 edge differ between revision 1 and 4.',
        'CHANGE   NODE OR EDGE  REVISIONS  BY',
        'changed  service:a     2,4        by4',
        'removed  e             3          by3 (unproven)',
        '',
      ].join('\n'),
    )
  })
})
