/**
 * features.parquet and examples.parquet of a run: what each latent fires on, from the training split (what a latent
 * does on the test split is the business of evaluate.ts), and which tokens it promotes.
 */
import { columnsOf } from '../activations/parts.ts';
import type { Dictionary } from '../dictionaries/dictionary.ts';
import { collectExamples, type Firing, type LatentExamples } from '../interpretation/examples.ts';
import { type TokenLogits, tokenLogits } from '../interpretation/logits.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import type { RunConfig } from '../runs/config.ts';
import type { Example, Feature } from '../runs/schema.ts';
import { hooksOf, type Site, siteOf } from '../runs/site.ts';
import { readLearned } from './learn.ts';
import { unreported } from './reporter.ts';
import { isFile, type Material, trainingActivations, type Workbench, widthAt } from './subject.ts';

/** Tokens named for each latent. */
export const NAMED_TOKENS = 10;

export async function explain(
  bench: Workbench,
  config: RunConfig,
  material: Material,
  dir: string,
): Promise<{ features: Feature[]; examples: Iterable<Example> }> {
  const { backend, reporter, stopwatch, signal } = bench;
  const { dictionary } = await readLearned(dir);
  const site = siteOf(config);
  const all = await trainingActivations(bench, material, hooksOf([site]));
  const source = columnsOf(all, 0, widthAt(material, site.inputs));
  const { topExamples, sampledExamples } = config.interpretation;
  const collected = await stopwatch.phase(reporter, 'examples', 'sequences', (update) =>
    collectExamples({
      backend,
      dictionary,
      source,
      top: topExamples,
      sampled: sampledExamples,
      seed: config.seed,
      onProgress: (done, total) => {
        signal?.throwIfAborted();
        update(done, total);
      },
    }),
  );
  const logits = await unreported(stopwatch, 'logits', () =>
    promotedTokens(backend, dictionary, site, material),
  );
  const text = textsOf(material);
  const features = collected.latents.map((latent, j) =>
    feature(j, latent, collected.tokens, logits?.promoted[j], logits?.suppressed[j], text),
  );
  return { features, examples: allExamples(collected.latents, text) };
}

/** Which tokens the latents promote: only the residual stream is read by the unembedding. */
async function promotedTokens(backend: Backend, dictionary: Dictionary, site: Site, material: Material) {
  if (isFile(material) || site.outputs.length > 1) return undefined;
  const { model } = material;
  if (dictionary.outputWidth !== model.config.width) return undefined;
  return tokenLogits(backend, dictionary, model.unembedding, NAMED_TOKENS);
}

/**
 * Rows of examples.parquet. Made one by one as they are asked for: all of them at once would take more memory than the
 * rest of the run.
 */
export function* allExamples(latents: readonly LatentExamples[], text: TokenText): Generator<Example> {
  for (const [latent, { top, quantiles }] of latents.entries()) {
    for (const [rank, firing] of top.entries()) yield example(latent, 'top', -1, rank, firing, text);
    for (const [quantile, firings] of quantiles.entries())
      for (const [rank, firing] of firings.entries())
        yield example(latent, 'quantile', quantile, rank, firing, text);
  }
}

export type TokenText = (token: number) => string;

/** The texts of a run's tokens; a file has their numbers only. */
export function textsOf(material: Material): TokenText {
  return isFile(material) ? (token) => `#${token}` : tokenTexts(material.tokenizer);
}

/** The texts of tokens, each made once. */
export function tokenTexts(tokenizer: Tokenizer): TokenText {
  const known = new Map<number, string>();
  return (token) => {
    const text = known.get(token) ?? tokenizer.text(token);
    known.set(token, text);
    return text;
  };
}

function feature(
  latent: number,
  { firings, maxActivation, meanActivation, top, quantiles }: LatentExamples,
  tokens: number,
  promoted: TokenLogits | undefined,
  suppressed: TokenLogits | undefined,
  text: TokenText,
): Feature {
  const names = (of: TokenLogits | undefined) => Array.from(of?.tokens ?? [], text);
  return {
    latent,
    density: firings / tokens,
    firings,
    maxActivation,
    meanActivation,
    promotedTokens: names(promoted),
    promotedLogits: Array.from(promoted?.logits ?? []),
    suppressedTokens: names(suppressed),
    suppressedLogits: Array.from(suppressed?.logits ?? []),
    topTokens: commonTokens(quantiles.some((group) => group.length > 0) ? quantiles.flat() : top, text),
  };
}

/** The tokens that a sample of firings is on, most frequent first. */
function commonTokens(firings: readonly Firing[], text: TokenText): string[] {
  const counts = new Map<number, number>();
  for (const { tokens, focus } of firings) counts.set(tokens[focus], (counts.get(tokens[focus]) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, NAMED_TOKENS)
    .map(([token]) => text(token));
}

function example(
  latent: number,
  kind: Example['kind'],
  quantile: number,
  rank: number,
  { tokens, activations, ...where }: Firing,
  text: TokenText,
): Example {
  return {
    latent,
    kind,
    quantile,
    rank,
    ...where,
    tokens: Array.from(tokens, text),
    activations: Array.from(activations),
  };
}
