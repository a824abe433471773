/**
 * Measures one thing in a process of its own, so that its peak memory is its own and nothing else's threads wait
 * beside it: `node bench/job.mjs <name> <arguments as JSON>` prints the result as JSON.
 */
const [name, argument] = process.argv.slice(2);
const { measure } = await import(`./jobs/${name}.mjs`);
console.log(JSON.stringify(await measure(JSON.parse(argument))));
// Whoever still waits for work has none to wait for.
process.exit(0);
