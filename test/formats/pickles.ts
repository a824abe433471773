/** Pickles put together by hand, opcode by opcode, to say what no pickler would. */

const join = (...parts: (Uint8Array | number[])[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const ascii = (text: string) => [...Buffer.from(text, 'utf8')];
const MARK = [0x28];

/** Protocol 2, a value, and the end. */
export const pickleOf = (value: Uint8Array) => join([0x80, 2], value, [0x2e]);

const int = (value: number) => {
  if (value >= 2 ** 31) return join([0x8a, 8], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  return join([0x4a], new Uint8Array(Int32Array.of(value).buffer));
};
const text = (value: string) =>
  join([0x58], new Uint8Array(Uint32Array.of(ascii(value).length).buffer), ascii(value));
const tuple = (...items: Uint8Array[]) => join(MARK, ...items, [0x74]);
const dict = (...pairs: [Uint8Array, Uint8Array][]) => join(MARK, ...pairs.flat(), [0x64]);
const global = (module: string, name: string) => join([0x63], ascii(`${module}\n${name}\n`));
/** STACK_GLOBAL on two strings. */
const stackGlobal = (module: string, name: string) => join(text(module), text(name), [0x93]);
const call = (callee: Uint8Array, ...args: Uint8Array[]) => join(callee, tuple(...args), [0x52]);
const persistent = (id: Uint8Array) => join(id, [0x51]);

export const ops = { ascii, call, dict, global, int, join, persistent, stackGlobal, text, tuple };
