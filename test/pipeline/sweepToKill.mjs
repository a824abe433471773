// Goes on with a sweep until it is killed. Says which phase begins.
import { createNativeBackend } from '../../dist/kernels/native.js';
import { Stopwatch } from '../../dist/pipeline/reporter.js';
import { resumeSweep } from '../../dist/pipeline/sweep.js';

const reporter = {
  note: () => {},
  begin: (/** @type {string} */ phase) => {
    process.stdout.write(`<${phase}>\n`);
    return { update: () => {}, end: () => {} };
  },
};
await resumeSweep({ backend: createNativeBackend(), reporter, stopwatch: new Stopwatch() }, process.argv[2]);
