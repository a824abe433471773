/**
 * How often two features of a law fire together: exact, from the forest that the law is written as. It must not know where
 * features point, nor what is made of the numbers.
 */
import { type FiringPlan, NO_FEATURE } from '../kernels/firingOperations.ts';
import { bothExceed } from '../math/bivariateNormal.ts';
import { pairAt, pairList } from '../math/pairList.ts';
import type { FiringLaw } from './firingLaw.ts';

/**
 * `P(i and j fire)` for each pair of features, as `math/pairList.ts` has it: over all nodes of i and of j, the product of the
 * probabilities on the way to both, 0 where the ways part among nodes that exclude each other; of two roots that a copula
 * couples, the probability that both normals exceed their thresholds. RangeError of a law with conjunctions.
 * O(nodes^2 depth).
 */
export function pairProbabilities({ plan }: FiringLaw): Float64Array {
  if (plan.conjunctions.feature.length > 0)
    throw new RangeError('pair probabilities are not worked out for laws with conjunctions');
  const together = new Float64Array((plan.features * (plan.features - 1)) / 2);
  const paths = pathsTo(plan);
  const probabilityOf = (path: readonly Step[], from: number) =>
    path.slice(from).reduce((product, { node }) => product * plan.probability[node], 1);
  for (const [a, first] of paths.entries()) {
    for (const second of paths.slice(0, a)) {
      const [i, j] = [first, second].map((path) => plan.feature[path[path.length - 1].node]);
      if (i === j) continue;
      // Children stand after their parents, so the first is not on the way to the second.
      const parting = first.findIndex(({ node }, level) => node !== second[level]?.node);
      const group = first[parting].group;
      if (group === second[parting]?.group && plan.exclusive[group]) continue;
      together[pairAt(i, j)] +=
        parting === 0
          ? bothRoots(plan, first[0].node, second[0].node) *
            probabilityOf(first, 1) *
            probabilityOf(second, 1)
          : probabilityOf(first, 0) * probabilityOf(second, parting);
    }
  }
  return together;
}

/**
 * `P(i and j) / (P(i) P(j))` for each pair of features: 0 where they exclude each other, 1 where they are independent, above 1
 * where they fire together. NaN where one of them never fires. (Brin, Motwani, Ullman and Tsur, "Dynamic itemset counting",
 * SIGMOD 1997, who call it interest.)
 */
export function pairLift(law: FiringLaw): Float64Array {
  const together = pairProbabilities(law);
  const { firingProbabilities: p } = law;
  return pairList(p.length, (i, j) => together[pairAt(i, j)] / (p[i] * p[j]));
}

/** A node on the way from a root, and the group it belongs to; -1 for the roots. */
interface Step {
  readonly node: number;
  readonly group: number;
}

/** The way to each node that has a feature. */
function pathsTo({ roots, feature, groupOffsets, memberOffsets }: FiringPlan): Step[][] {
  const paths: Step[][] = Array.from({ length: roots }, (_, node) => [{ node, group: -1 }]);
  for (let parent = 0; parent < feature.length; parent++) {
    for (let group = groupOffsets[parent]; group < groupOffsets[parent + 1]; group++) {
      for (let node = memberOffsets[group]; node < memberOffsets[group + 1]; node++)
        paths[node] = [...paths[parent], { node, group }];
    }
  }
  return paths.filter((_, node) => feature[node] !== NO_FEATURE);
}

function bothRoots({ probability, coupling }: FiringPlan, i: number, j: number): number {
  if (!coupling) return probability[i] * probability[j];
  const { rank, loadings, threshold } = coupling;
  let correlation = 0;
  for (let r = 0; r < rank; r++) correlation += loadings[i * rank + r] * loadings[j * rank + r];
  return bothExceed(threshold[i], threshold[j], correlation);
}
