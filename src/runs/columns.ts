/** Where each field of a row stands in features.parquet and examples.parquet: names in snake case, token texts and activations as lists. */
import type { ParquetType } from '../formats/parquet.ts';
import type { Example, Feature } from './schema.ts';

/** Where each field of a row stands. */
export type Columns<Row> = { [Key in keyof Required<Row>]: { column: string; type: ParquetType } };

export const FEATURE_COLUMNS: Columns<Feature> = {
  latent: { column: 'latent', type: 'INT32' },
  density: { column: 'density', type: 'DOUBLE' },
  firings: { column: 'firings', type: 'INT64' },
  maxActivation: { column: 'max_activation', type: 'FLOAT' },
  meanActivation: { column: 'mean_activation', type: 'FLOAT' },
  promotedTokens: { column: 'promoted_tokens', type: 'STRING[]' },
  promotedLogits: { column: 'promoted_logits', type: 'FLOAT[]' },
  suppressedTokens: { column: 'suppressed_tokens', type: 'STRING[]' },
  suppressedLogits: { column: 'suppressed_logits', type: 'FLOAT[]' },
  topTokens: { column: 'top_tokens', type: 'STRING[]' },
};

export const EXAMPLE_COLUMNS: Columns<Example> = {
  latent: { column: 'latent', type: 'INT32' },
  kind: { column: 'kind', type: 'STRING' },
  quantile: { column: 'quantile', type: 'INT32' },
  rank: { column: 'rank', type: 'INT32' },
  document: { column: 'document', type: 'INT32' },
  sequence: { column: 'sequence', type: 'INT32' },
  position: { column: 'position', type: 'INT32' },
  activation: { column: 'activation', type: 'FLOAT' },
  tokens: { column: 'tokens', type: 'STRING[]' },
  activations: { column: 'activations', type: 'FLOAT[]' },
  focus: { column: 'focus', type: 'INT32' },
};
