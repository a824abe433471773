/**
 * A restricted reader of Python pickles, protocols 2 to 5 (the opcodes are described in CPython's
 * Lib/pickletools.py). A pickle is a program for a stack machine that may name any function of any Python module and
 * call it; here a name is looked up in a fixed table that the caller gives, and one that is not there ends the reading
 * before anything is called. There is no other way from a name in a file to a function. It must not know what the
 * names in the table stand for.
 */

import { PickleBytes } from './pickleBytes.ts';

/** A Python tuple, told apart from a list while a pickle is read. */
export class PickleTuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A Python OrderedDict. Unlike a dict it may be given attributes, which are dropped. */
export class PickleOrderedDict extends Map<PickleValue, PickleValue> {}

/** What a name in the table stands for where it may be called. RangeError tells what was wrong with the arguments. */
export class PickleFunction {
  readonly call: (args: readonly PickleValue[]) => PickleValue;
  constructor(call: (args: readonly PickleValue[]) => PickleValue) {
    this.call = call;
  }
}

/** An object of the caller's, which nothing in a pickle can look into. */
export abstract class PickleOpaque {
  abstract readonly kind: string;
}

/** Integers are numbers where these are exact, bigints otherwise. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleFunction
  | PickleOpaque;

export interface PickleHost {
  /** What each `module name`, with a space between, stands for. */
  readonly globals: ReadonlyMap<string, PickleValue>;
  /** The object of a persistent id. RangeError tells what was wrong with the id. */
  persistent(id: PickleValue): PickleValue;
}

/** Each object takes an opcode, and the largest, an empty dict, some 200 bytes of memory. */
const MAX_OPCODES = 1_000_000;
const STOP = '.';

/**
 * The value of the pickle that begins at byte `start`, and the place after its end; `where` stands for the file in
 * errors. InputError where the pickle asks for a name that is not in the table, calls anything else, or is damaged.
 * Lists and dicts may contain themselves.
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  host: PickleHost,
  where: string,
): { value: PickleValue; end: number } {
  const source = new PickleBytes(bytes, start, where);
  const machine = new Machine(source, host);
  for (let count = 0; count < MAX_OPCODES; count++) {
    const opcode = String.fromCharCode(source.unsigned(1));
    if (opcode === STOP) return { value: machine.pop(), end: source.position };
    const act = OPCODES.get(opcode);
    if (act === undefined) machine.refuseOpcode(opcode);
    else act(machine, source);
  }
  return source.refuse(`its pickle has more than ${MAX_OPCODES} steps; save fewer objects in a file`);
}

/** What each opcode does, under the name that pickletools gives it. */
const OPCODES: ReadonlyMap<string, (machine: Machine, source: PickleBytes) => void> = new Map([
  ['\x80', (m, s) => m.protocol(s.unsigned(1))], // PROTO
  ['\x95', (_, s) => s.unsigned(8)], // FRAME: how much follows, a help for reading from streams

  ['(', (m) => m.mark()], // MARK
  ['0', (m) => m.popOrMark()], // POP
  ['1', (m) => m.popToMark()], // POP_MARK
  ['2', (m) => m.push(m.top())], // DUP
  ['h', (m, s) => m.get(s.unsigned(1))], // BINGET
  ['j', (m, s) => m.get(s.unsigned(4))], // LONG_BINGET
  ['q', (m, s) => m.put(s.unsigned(1))], // BINPUT
  ['r', (m, s) => m.put(s.unsigned(4))], // LONG_BINPUT
  ['\x94', (m) => m.memoize()], // MEMOIZE

  ['N', (m) => m.push(null)], // NONE
  ['\x88', (m) => m.push(true)], // NEWTRUE
  ['\x89', (m) => m.push(false)], // NEWFALSE
  ['J', (m, s) => m.push(s.signed4())], // BININT
  ['K', (m, s) => m.push(s.unsigned(1))], // BININT1
  ['M', (m, s) => m.push(s.unsigned(2))], // BININT2
  ['\x8a', (m, s) => m.push(s.integer(s.unsigned(1)))], // LONG1
  ['\x8b', (m, s) => m.push(s.integer(s.unsigned(4)))], // LONG4
  ['G', (m, s) => m.push(s.float())], // BINFLOAT

  ['U', (m, s) => m.push(s.text(s.unsigned(1)))], // SHORT_BINSTRING
  ['T', (m, s) => m.push(s.text(s.unsigned(4)))], // BINSTRING
  ['\x8c', (m, s) => m.push(s.text(s.unsigned(1)))], // SHORT_BINUNICODE
  ['X', (m, s) => m.push(s.text(s.unsigned(4)))], // BINUNICODE
  ['\x8d', (m, s) => m.push(s.text(s.unsigned(8)))], // BINUNICODE8
  ['C', (m, s) => m.push(s.take(s.unsigned(1)).slice())], // SHORT_BINBYTES
  ['B', (m, s) => m.push(s.take(s.unsigned(4)).slice())], // BINBYTES
  ['\x8e', (m, s) => m.push(s.take(s.unsigned(8)).slice())], // BINBYTES8
  ['\x96', (m, s) => m.push(s.take(s.unsigned(8)).slice())], // BYTEARRAY8

  [')', (m) => m.push(new PickleTuple([]))], // EMPTY_TUPLE
  ['\x85', (m) => m.push(new PickleTuple(m.popMany(1)))], // TUPLE1
  ['\x86', (m) => m.push(new PickleTuple(m.popMany(2)))], // TUPLE2
  ['\x87', (m) => m.push(new PickleTuple(m.popMany(3)))], // TUPLE3
  ['t', (m) => m.push(new PickleTuple(m.popToMark()))], // TUPLE
  [']', (m) => m.push([])], // EMPTY_LIST
  ['l', (m) => m.push(m.popToMark())], // LIST
  ['a', (m) => m.append(m.popMany(1))], // APPEND
  ['e', (m) => m.append(m.popToMark())], // APPENDS
  ['}', (m) => m.push(new Map())], // EMPTY_DICT
  ['d', (m) => m.dictionary(m.popToMark())], // DICT
  ['s', (m) => m.setItems(m.popMany(2))], // SETITEM
  ['u', (m) => m.setItems(m.popToMark())], // SETITEMS
  ['\x8f', (m) => m.push(new Set())], // EMPTY_SET
  ['\x90', (m) => m.add(m.popToMark())], // ADDITEMS
  ['\x91', (m) => m.push(new Set(m.popToMark()))], // FROZENSET

  ['c', (m, s) => m.global(s.line(), s.line())], // GLOBAL
  ['\x93', (m) => m.stackGlobal()], // STACK_GLOBAL
  ['R', (m) => m.reduce()], // REDUCE
  ['b', (m) => m.build()], // BUILD
  ['Q', (m) => m.persistent()], // BINPERSID
  ['i', (m, s) => m.refuseName(s.line(), s.line())], // INST: names a class, and calls it
]);

/** Opcodes that could call or build what is not in the table, that need what is not in the file, or of protocol 0. */
const REFUSED: Readonly<Record<string, string>> = {
  '\x81': 'NEWOBJ',
  '\x92': 'NEWOBJ_EX',
  '\x82': 'EXT1',
  '\x83': 'EXT2',
  '\x84': 'EXT4',
  '\x97': 'NEXT_BUFFER',
  '\x98': 'READONLY_BUFFER',
  o: 'OBJ',
  P: 'PERSID',
  I: 'INT',
  L: 'LONG',
  F: 'FLOAT',
  S: 'STRING',
  V: 'UNICODE',
  g: 'GET',
  p: 'PUT',
};

class Machine {
  readonly #source: PickleBytes;
  readonly #host: PickleHost;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at which a mark lies. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(source: PickleBytes, host: PickleHost) {
    this.#source = source;
    this.#host = host;
  }

  protocol(version: number): void {
    if (version < 2 || version > 5) this.#refuse(`pickle protocol ${version} is not supported; 2 to 5 are`);
  }

  // ---- Names and calls: the only places where anything is looked up or called

  global(module: string, name: string): void {
    const value = this.#host.globals.get(`${module} ${name}`);
    if (value === undefined) this.refuseName(module, name);
    else this.push(value);
  }

  stackGlobal(): void {
    const [module, name] = this.popMany(2);
    if (typeof module === 'string' && typeof name === 'string') this.global(module, name);
    else this.#refuse('STACK_GLOBAL finds no names on the stack');
  }

  reduce(): void {
    const [callee, args] = this.popMany(2);
    if (!(callee instanceof PickleFunction)) {
      this.#refuse('its pickle calls (REDUCE) what is not one of the known functions; nothing was run');
    } else if (!(args instanceof PickleTuple)) {
      this.#refuse('REDUCE finds no tuple of arguments');
    } else {
      this.push(this.#checked('an object', () => callee.call(args.items)));
    }
  }

  /** Attributes of an OrderedDict (a state dict has `_metadata`) are dropped; nothing else can have any. */
  build(): void {
    const [target, state] = this.popMany(2);
    if (target instanceof PickleOrderedDict && state instanceof Map) this.push(target);
    else this.#refuse('its pickle sets the state (BUILD) of what is no OrderedDict; nothing was run');
  }

  persistent(): void {
    const id = this.pop();
    this.push(this.#checked('a persistent id', () => this.#host.persistent(id)));
  }

  #checked(what: string, make: () => PickleValue): PickleValue {
    try {
      return make();
    } catch (error) {
      if (error instanceof RangeError) return this.#refuse(`${what} is refused: ${error.message}`);
      throw error;
    }
  }

  // ---- Containers

  append(items: PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.#refuse('APPEND finds no list');
    for (const item of items) list.push(item);
  }

  dictionary(items: PickleValue[]): void {
    this.push(new Map());
    this.setItems(items);
  }

  setItems(items: PickleValue[]): void {
    const map = this.top();
    if (!(map instanceof Map)) this.#refuse('SETITEM finds no dict');
    if (items.length % 2 !== 0) this.#refuse('SETITEMS finds a key without a value');
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  add(items: PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof Set)) this.#refuse('ADDITEMS finds no set');
    for (const item of items) set.add(item);
  }

  // ---- Stack and memo

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  pop(): PickleValue {
    return this.popMany(1)[0];
  }

  /** POP takes a mark where one lies on top. */
  popOrMark(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  popMany(count: number): PickleValue[] {
    const height = this.#stack.length - count;
    if (height < (this.#marks.at(-1) ?? 0)) return this.#refuse('the stack runs empty');
    return this.#stack.splice(height);
  }

  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    return mark === undefined ? this.#refuse('a mark is missing') : this.#stack.splice(mark);
  }

  top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) return this.#refuse('the stack runs empty');
    return this.#stack[this.#stack.length - 1];
  }

  put(index: number): void {
    this.#memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.#refuse(`the memo has no entry ${index}`);
    else this.push(value);
  }

  // ---- Refusals

  refuseName(module: string, name: string): never {
    return this.#refuse(
      `it asks for ${shown(`${module}.${name}`)}, which is not a tensor or a plain value; nothing was run. Have the state dict alone saved, or safetensors`,
    );
  }

  refuseOpcode(opcode: string): never {
    if (!Object.hasOwn(REFUSED, opcode)) {
      return this.#refuse(
        `byte ${this.#source.position - 1} is ${opcode.charCodeAt(0)}, which is no opcode of a pickle. The file is damaged`,
      );
    }
    const known = [...this.#host.globals].filter(([, value]) => this.#stack.slice(-3).includes(value));
    const on = known.length > 0 ? ` on ${known[0][0].replace(' ', '.')}` : '';
    return this.#refuse(
      `its pickle uses ${REFUSED[opcode]}${on}, which tensors and plain values do not need; nothing was run`,
    );
  }

  #refuse(problem: string): never {
    return this.#source.refuse(problem);
  }
}

/** A name as it may stand in a message, whatever it is made of. */
function shown(name: string): string {
  return /^[\w.<>-]{1,100}$/.test(name) ? name : JSON.stringify(name.slice(0, 100));
}
