/** One step of ForceAtlas2, which its package does not describe. */
declare module 'graphology-layout-forceatlas2/iterate.js' {
  export interface ForceAtlasSettings {
    readonly linLogMode: boolean
    readonly outboundAttractionDistribution: boolean
    readonly adjustSizes: boolean
    readonly edgeWeightInfluence: number
    readonly scalingRatio: number
    readonly strongGravityMode: boolean
    readonly gravity: number
    readonly slowDown: number
    readonly barnesHutOptimize: boolean
    readonly barnesHutTheta: number
  }

  /** Moves all circles a little. @param nodes ten numbers for each @param edges three numbers for each */
  export default function iterate(
    settings: ForceAtlasSettings,
    nodes: Float32Array,
    edges: Float32Array,
  ): void
}
