import { describe, expect, it } from 'vitest'
import { findReplicas } from '../../src/database/diagnosis/find-replicas.ts'
import type { ReplicaInspection } from '../../src/database/replicas.ts'
import { CoordinatorError } from '../../src/errors.ts'

type Answered = Extract<ReplicaInspection, { readonly failure?: undefined }>

const sound: Answered = {
  host: '10.0.0.2:5432',
  standby: true,
  position: { lineage: 'l', revision: 10, digest: 'd' },
  sameHistory: true,
  lagRevisions: 0,
  keepsOldVersions: true,
  longestReadMs: 30_000,
}

/** @param looks what the replica says each time it is asked; the last one counts for all later ones */
async function found(...looks: readonly ReplicaInspection[]) {
  let asked = 0
  const inspectReplicas = async () => {
    asked += 1
    return [looks[Math.min(asked, looks.length) - 1] as ReplicaInspection]
  }
  const findings = await findReplicas({ inspectReplicas }, ['load', 'as_of', 'history'])
  return { asked, findings, states: findings.map(({ state }) => state) }
}

const at = (revision: number, lagRevisions: number): Answered => ({
  ...sound,
  position: { ...sound.position, revision },
  lagRevisions,
})

describe('a replica', () => {
  it('that is as it should be is named, and asked once', async () => {
    expect(await found(sound)).toMatchObject({
      asked: 1,
      findings: [
        { check: 'replica', state: 'ok', found: 'Replica 1 (10.0.0.2:5432) is a standby, at revision 10.' },
      ],
    })
  })

  it('that is the primary is found, and not what only a standby has', async () => {
    const { findings } = await found({ ...sound, standby: false, keepsOldVersions: false })
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ state: 'warning', found: expect.stringContaining('is a primary') })
  })

  it('with another history is a problem, and nothing else of it matters', async () => {
    const { findings } = await found({
      ...sound,
      sameHistory: false,
      lagRevisions: 5,
      keepsOldVersions: false,
    })
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ state: 'problem', found: expect.stringContaining('another history') })
  })

  it('that does not answer is named with the reason, and its setting', async () => {
    const failure = new CoordinatorError('COORD_STORE_UNAVAILABLE', { detail: 'It failed.' })
    const { findings } = await found({ host: sound.host, failure })
    expect(findings).toMatchObject([
      {
        state: 'warning',
        found: 'Replica 1 (10.0.0.2:5432): COORD_STORE_UNAVAILABLE: It failed.',
        repair: 'Start the database, or correct host and port in DATABASE_REPLICAS.',
      },
    ])
  })

  it('that is behind once is asked again, and is no flaw once it has what was missing', async () => {
    expect(await found(at(8, 2), at(10, 7))).toMatchObject({ asked: 2, states: ['ok'] })
  })

  it('that stays behind is a flaw, even if it goes on', async () => {
    const { asked, findings } = await found(at(8, 20), at(9, 20), at(10, 20), at(11, 20), at(12, 20))
    expect(asked).toBe(5)
    expect(findings).toMatchObject([
      { state: 'warning', found: expect.stringContaining('20 revisions behind') },
    ])
  })

  it('whose long reads may be ended is a flaw only where it answers long ones', async () => {
    const replica = { ...sound, keepsOldVersions: false }
    expect((await found(replica)).findings).toMatchObject([
      { state: 'warning', repair: expect.stringContaining('hot_standby_feedback = on') },
    ])
    expect((await found({ ...replica, longestReadMs: -1 })).states).toEqual(['ok'])
    const inspectReplicas = async () => [replica]
    expect(await findReplicas({ inspectReplicas }, ['history'])).toMatchObject([{ state: 'ok' }])
  })

  it('is looked for only where the settings name one', async () => {
    expect(await findReplicas({}, ['load'])).toEqual([])
  })
})
