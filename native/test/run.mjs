// Builds the tests of the operations with the sources and flags of binding.gyp, and runs them:
//
//   node native/test/run.mjs [plain | sanitize | aarch64] [part of a test's name]
//
// `sanitize` is two builds, under the address and undefined-behaviour sanitizers and under the thread sanitizer;
// `aarch64` cross-compiles with Debian's g++-aarch64-linux-gnu and runs under qemu-user, or says that it was skipped.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';

const HOST = { x64: 'x64', arm64: 'arm64' }[process.arch] ?? process.arch;

const BUILDS = {
  plain: [{ name: 'plain', compiler: process.env.CXX ?? 'c++', target: HOST, flags: [], run: [] }],
  sanitize: [
    sanitized('address', ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']),
    sanitized('thread', ['-fsanitize=thread']),
  ],
  aarch64: [
    {
      name: 'aarch64',
      compiler: 'aarch64-linux-gnu-g++',
      target: 'arm64',
      flags: ['-static'],
      run: ['qemu-aarch64'],
    },
  ],
};

/** After the flags of the addon, so that its optimisation gives way: checked code is compiled faster at -O1. */
function sanitized(name, flags) {
  return {
    name,
    compiler: process.env.CXX ?? 'c++',
    target: HOST,
    flags: [...flags, '-O1', '-g', '-fno-omit-frame-pointer'],
    run: [],
  };
}

/** Every native source but the binding's, with the flags that the addon's build gives it on `target`. */
function sources(target) {
  const gyp = JSON.parse(readFileSync('binding.gyp', 'utf8'));
  const common = gyp.target_defaults.cflags_cc;
  const native = gyp.targets.flatMap(({ sources, cflags_cc = [], conditions = [] }) => {
    const own = conditions
      .filter(([condition]) => condition === `target_arch=='${target}'`)
      .flatMap(([, settings]) => settings.cflags_cc ?? []);
    const flags = [...common, ...cflags_cc, ...own];
    return sources.filter((file) => !file.startsWith('native/binding/')).map((file) => ({ file, flags }));
  });
  const tests = readdirSync('native/test')
    .filter((file) => file.endsWith('.cc'))
    .map((file) => ({ file: join('native/test', file), flags: common }));
  return [...native, ...tests];
}

function available(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function finished(command, args) {
  return new Promise((resolve, reject) => {
    spawn(command, args, { stdio: 'inherit' }).on('error', reject).on('close', resolve);
  });
}

async function compile({ name, compiler, target, flags }) {
  const directory = join('build', 'native-test', name);
  mkdirSync(directory, { recursive: true });
  const objects = [];
  const queue = sources(target);
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const object = join(directory, `${basename(next.file, '.cc')}-${objects.length}.o`);
      objects.push(object);
      const failed = await finished(compiler, [...next.flags, ...flags, '-c', next.file, '-o', object]);
      if (failed) throw new Error(`${compiler} could not compile ${next.file}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const program = join(directory, 'test');
  if (await finished(compiler, [...flags, ...objects, '-o', program, '-pthread']))
    throw new Error(`${compiler} could not link the tests`);
  return program;
}

const [kind = 'plain', wanted = ''] = process.argv.slice(2);
if (!BUILDS[kind]) throw new Error(`"${kind}", expected one of: ${Object.keys(BUILDS).join(', ')}`);
for (const build of BUILDS[kind]) {
  const missing = [build.compiler, ...build.run].filter((command) => !available(command));
  if (missing.length > 0 && kind === 'aarch64') {
    console.log(
      `*** SKIPPED: the ${build.name} tests need ${missing.join(' and ')}, which is not installed ***`,
    );
    continue;
  }
  console.log(`tests of the operations, ${build.name}`);
  const program = await compile(build);
  const [command, ...args] = [...build.run, program, wanted];
  if (await finished(command, args)) process.exit(1);
}
