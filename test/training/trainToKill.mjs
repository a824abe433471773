// Trains with a checkpoint after every step until it is killed. Says so when the first one is written.
import { createNativeBackend } from '../../dist/kernels/native.js';
import { trainOne } from '../../dist/training/train.js';

const { source, scale, mean, options } = await import('./world.mjs');
let said = false;
await trainOne({
  source,
  scale,
  mean,
  options,
  backend: createNativeBackend(),
  checkpoints: { dir: process.argv[2], every: 1 },
  resume: true,
  onStep: () => {
    if (!said) process.stdout.write('training\n');
    said = true;
  },
});
