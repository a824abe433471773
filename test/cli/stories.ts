/** A directory with a small corpus, for runs that take a second; its cache is its own while the tests of a file run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';

const SENTENCES = Array.from(
  { length: 24 },
  (_, i) => `Tom had ${i} red balls. He went to the park to play.`,
);

/** What all of these runs have in common, whose corpus is in the directory `root`. */
export const small = (root: string) => ({
  corpus: { name: join(root, 'stories.jsonl'), context: 16 },
  dictionary: { latents: 48, k: 4 },
  training: { tokens: 640, batch: 64 },
  evaluation: { resamples: 20, nulls: false },
});

/** Makes the directory and sets the cache; `leaveStories` undoes both. */
export async function enterStories(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'monosem-stories-'));
  vi.stubEnv('MONOSEM_CACHE', join(root, 'cache'));
  await writeFile(small(root).corpus.name, SENTENCES.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  return root;
}

export async function leaveStories(root: string): Promise<void> {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
}
