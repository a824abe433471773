import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/formats/errors.ts';
import {
  PickleFunction,
  type PickleHost,
  PickleOrderedDict,
  PickleTuple,
  type PickleValue,
  readPickle,
} from '../../src/formats/pickle.ts';
import { torchHost } from '../../src/formats/torchObjects.ts';
import { valueOrInputError } from './hostile.ts';
import { ops, pickleOf } from './pickles.ts';

const { ascii, call, dict, global, int, join, persistent, stackGlobal, text, tuple } = ops;
const known = () => torchHost(new Map());
const read = (bytes: Uint8Array, host: PickleHost = known()) => readPickle(bytes, 0, host, 'ae.pt').value;
const readValue = (value: Uint8Array, host?: PickleHost) => read(pickleOf(value), host);
const u64 = (value: bigint) => [...new Uint8Array(BigUint64Array.of(value).buffer)];
const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];

/** A table whose one function must not be called, and whose lookups can be seen. */
function watched(): { host: PickleHost; called: ReturnType<typeof vi.fn> } {
  const called = vi.fn(() => null);
  const host = {
    globals: new Map<string, PickleValue>([
      ['safe function', new PickleFunction(called)],
      ['safe constant', 'constant'],
    ]),
    persistent: called,
  };
  return { host, called };
}

describe('values', () => {
  test.each<[string, number[], PickleValue]>([
    ['None', [0x4e], null],
    ['True', [0x88], true],
    ['False', [0x89], false],
    ['BININT', [0x4a, ...u32(0xffffffff)], -1],
    ['BININT1', [0x4b, 255], 255],
    ['BININT2', [0x4d, 1, 255], 65281],
    ['LONG1 of no bytes', [0x8a, 0], 0],
    ['LONG1 of -129', [0x8a, 2, 0x7f, 0xff], -129],
    ['LONG1 of 2^53', [0x8a, 8, ...u64(2n ** 53n)], 2n ** 53n],
    ['LONG1 of 2^53 - 1', [0x8a, 8, ...u64(2n ** 53n - 1n)], 2 ** 53 - 1],
    ['LONG1 of -2^63', [0x8a, 8, ...u64(2n ** 63n)], -(2n ** 63n)],
    ['LONG4 of 5', [0x8b, ...u32(1), 5], 5],
    ['BINFLOAT', [0x47, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0], -1.5],
    ['SHORT_BINUNICODE', [0x8c, 2, 0xc3, 0xa9], 'é'],
    ['BINUNICODE8', [0x8d, ...u64(1n), 0x61], 'a'],
    ['SHORT_BINSTRING', [0x55, 1, 0x61], 'a'],
    ['BINBYTES', [0x42, ...u32(2), 0, 255], Uint8Array.of(0, 255)],
    ['SHORT_BINBYTES', [0x43, 1, 7], Uint8Array.of(7)],
    ['BYTEARRAY8', [0x96, ...u64(1n), 7], Uint8Array.of(7)],
    ['EMPTY_TUPLE', [0x29], new PickleTuple([])],
    ['TUPLE3', [0x4b, 1, 0x4b, 2, 0x4b, 3, 0x87], new PickleTuple([1, 2, 3])],
    ['LIST', [0x28, 0x4b, 1, 0x6c], [1]],
    ['APPENDS', [0x5d, 0x28, 0x4b, 1, 0x4b, 2, 0x65], [1, 2]],
    ['SETITEM', [0x7d, 0x4b, 1, 0x4b, 2, 0x73], new Map([[1, 2]])],
    ['ADDITEMS', [0x8f, 0x28, 0x4b, 1, 0x4b, 1, 0x90], new Set([1])],
    ['FROZENSET', [0x28, 0x4b, 1, 0x91], new Set([1])],
    ['DUP', [0x4b, 1, 0x32, 0x86], new PickleTuple([1, 1])],
    ['POP', [0x4b, 1, 0x4b, 2, 0x30], 1],
    ['POP of a mark', [0x4b, 1, 0x28, 0x30], 1],
    ['POP_MARK', [0x4b, 1, 0x28, 0x4b, 2, 0x4b, 3, 0x31], 1],
    ['FRAME', [0x95, ...u64(2n), 0x4b, 1], 1],
    [
      'MEMOIZE and BINGET',
      [0x4b, 1, 0x94, 0x4b, 2, 0x94, 0x68, 0, 0x68, 1, 0x87],
      new PickleTuple([2, 1, 2]),
    ],
    [
      'LONG_BINPUT and LONG_BINGET',
      [0x4b, 1, 0x72, ...u32(0xffffffff), 0x6a, ...u32(0xffffffff), 0x86],
      new PickleTuple([1, 1]),
    ],
  ])('%s', (name, opcodes, expected) => {
    const leading = name.startsWith('MEMOIZE') ? join([0x4e, 0x30], opcodes) : join(opcodes);
    expect(readValue(leading)).toEqual(expected);
  });

  test('the place after the end is told, and reading goes on from there', () => {
    const both = join([0], pickleOf(int(1)), pickleOf(int(2)));
    const first = readPickle(both, 1, known(), 'ae.pt');
    expect(first.value).toBe(1);
    expect(readPickle(both, first.end, known(), 'ae.pt')).toEqual({ value: 2, end: both.length });
  });

  test('an OrderedDict, made empty or of pairs, takes attributes, which are dropped', () => {
    const ordered = global('collections', 'OrderedDict');
    const made = readValue(join(call(ordered), dict([text('_metadata'), int(1)]), [0x62]));
    expect(made).toEqual(new PickleOrderedDict());
    const pairs = join([0x5d], tuple(text('a'), int(1)), [0x61]);
    expect(readValue(call(ordered, pairs))).toEqual(new PickleOrderedDict([['a', 1]]));
  });
});

describe('names that are not in the table are refused by name, and nothing is called', () => {
  const NAMES: [string, string][] = [
    ['posix', 'system'],
    ['os', 'system'],
    ['nt', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'exec'],
    ['__builtin__', 'getattr'],
    ['builtins', '__import__'],
    ['subprocess', 'Popen'],
    ['torch.storage', '_load_from_bytes'],
    ['torch._utils', '_rebuild_device_tensor_from_numpy'],
    ['torch', 'load'],
    ['numpy.core.multiarray', 'scalar'],
    ['constructor', 'constructor'],
    ['__proto__', '__proto__'],
  ];
  const ways: [string, (module: string, name: string) => Uint8Array][] = [
    ['GLOBAL', (module, name) => global(module, name)],
    ['GLOBAL and REDUCE', (module, name) => call(global(module, name), text('true'))],
    ['STACK_GLOBAL and REDUCE', (module, name) => call(stackGlobal(module, name), text('true'))],
    [
      'STACK_GLOBAL on strings out of the memo',
      (module, name) =>
        join(
          text(name),
          [0x71, 1],
          text(module),
          [0x71, 2, 0x30, 0x30, 0x68, 2, 0x68, 1, 0x93],
          tuple(),
          [0x52],
        ),
    ],
    ['INST', (module, name) => join([0x28], text('true'), [0x69], ascii(`${module}\n${name}\n`))],
    ['OBJ', (module, name) => join([0x28], global(module, name), text('true'), [0x6f])],
    ['NEWOBJ', (module, name) => join(global(module, name), tuple(text('true')), [0x81])],
    ['NEWOBJ_EX', (module, name) => join(global(module, name), tuple(), dict(), [0x92])],
    ['BUILD', (module, name) => join(global(module, name), dict([text('__setstate__'), int(1)]), [0x62])],
    ['within a persistent id', (module, name) => persistent(tuple(text('storage'), global(module, name)))],
  ];

  test.each(ways)('%s', (_, make) => {
    for (const [module, name] of NAMES) {
      const { host, called } = watched();
      for (const table of [host, known()]) {
        let error: unknown;
        try {
          readValue(make(module, name), table);
        } catch (reason) {
          error = reason;
        }
        expect(error).toBeInstanceOf(InputError);
        expect((error as Error).message).toMatch(
          /^ae\.pt: it asks for .*which is not a tensor.*nothing was run/,
        );
        expect((error as Error).message).toContain(`${module}.${name}`);
      }
      expect(called).not.toHaveBeenCalled();
    }
  });

  test('a name split elsewhere, or with a part of another, is not the name in the table', () => {
    for (const [module, name] of [
      ['torch._utils._rebuild_tensor_v2', ''],
      ['torch', '_utils._rebuild_tensor_v2'],
      ['torch._utils', '_rebuild_tensor_v2.__globals__'],
      ['collections', 'OrderedDict.__class__'],
      ['collections', ' OrderedDict'],
    ])
      expect(() => readValue(stackGlobal(module, name))).toThrow(/asks for/);
  });

  test('a name of control characters is shown so that it does no harm to a terminal', () => {
    expect(() => readValue(stackGlobal('os\x1b[2J', 'system'))).toThrow(/asks for "os\\u001b\[2J\.system"/);
  });
});

describe('opcodes that could call or build something are refused, even on what is in the table', () => {
  const fn = global('safe', 'function');
  test.each<[string, Uint8Array, RegExp]>([
    ['NEWOBJ', join(fn, tuple(), [0x81]), /NEWOBJ on safe\.function/],
    ['NEWOBJ_EX', join(fn, tuple(), dict(), [0x92]), /NEWOBJ_EX on safe\.function/],
    ['OBJ', join([0x28], fn, [0x6f]), /OBJ on safe\.function/],
    ['INST', join([0x28, 0x69], ascii('safe\nfunction\n')), /asks for safe\.function/],
    ['BUILD on a function', join(fn, dict(), [0x62]), /BUILD/],
    ['BUILD on a dict', join(dict(), dict(), [0x62]), /BUILD/],
    ['BUILD on a list', join([0x5d], dict(), [0x62]), /BUILD/],
    ['BUILD with a function as state', join(dict(), fn, [0x62]), /BUILD/],
    ['EXT1', join([0x82, 1]), /EXT1/],
    ['EXT2', join([0x83, 1, 0]), /EXT2/],
    ['EXT4', join([0x84, 1, 0, 0, 0]), /EXT4/],
    ['PERSID', join([0x50], ascii('x\n')), /PERSID/],
    ['NEXT_BUFFER', join([0x97]), /NEXT_BUFFER/],
    ['GET of protocol 0', join([0x67], ascii('0\n')), /GET/],
    ['REDUCE on a constant', call(global('safe', 'constant')), /REDUCE/],
    ['REDUCE on a string', call(text('safe function')), /REDUCE/],
    ['REDUCE on a tuple', call(tuple(fn)), /REDUCE/],
    ['REDUCE on a dict', call(dict([text('__call__'), fn])), /REDUCE/],
    ['REDUCE with a list', join(fn, [0x5d, 0x52]), /no tuple of arguments/],
    ['APPEND to a tuple', join([0x29, 0x4b, 1, 0x61]), /no list/],
    ['APPEND to a function', join(fn, [0x4b, 1, 0x61]), /no list/],
    ['SETITEM on a list', join([0x5d, 0x4b, 0, 0x4b, 1, 0x73]), /no dict/],
    ['SETITEM on a function', join(fn, text('call'), int(1), [0x73]), /no dict/],
    ['SETITEMS with a key alone', join([0x7d, 0x28, 0x4b, 1, 0x75]), /key without a value/],
    ['ADDITEMS to a dict', join([0x7d, 0x28, 0x4b, 1, 0x90]), /no set/],
    ['STACK_GLOBAL on numbers', join(int(1), int(2), [0x93]), /no names/],
  ])('%s', (_, value, message) => {
    const { host, called } = watched();
    expect(() => readValue(value, host)).toThrow(message);
    expect(() => readValue(value, host)).toThrow(InputError);
    expect(called).not.toHaveBeenCalled();
  });

  test('no opcode calls but REDUCE and BINPERSID: of all 256, none of the others does', () => {
    for (let opcode = 0; opcode < 256; opcode++) {
      const { host, called } = watched();
      try {
        read(
          join(
            [0x80, 2],
            dict(),
            fn,
            fn,
            tuple(text('safe'), text('function')),
            [opcode],
            ascii('safe\nfunction\n'),
          ),
          host,
        );
      } catch (error) {
        expect(error, `opcode ${opcode}`).toBeInstanceOf(InputError);
      }
      expect(called.mock.calls.length, `opcode ${opcode}`).toBe(opcode === 0x52 || opcode === 0x51 ? 1 : 0);
    }
  });
});

describe('damaged and hostile bytes', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /1 bytes are announced, but 0 are left/],
    ['no end', join([0x80, 2, 0x4e]), /are left/],
    ['an end without a value', join([0x80, 2, 0x2e]), /stack runs empty/],
    ['a value below a mark', join([0x4e, 0x28, 0x2e]), /stack runs empty/],
    ['a pop from nothing', join([0x30]), /stack runs empty/],
    ['a mark that is missing', join([0x74]), /mark is missing/],
    ['protocol 1', join([0x80, 1]), /protocol 1 is not supported/],
    ['protocol 6', join([0x80, 6]), /protocol 6 is not supported/],
    ['a memo entry that is not there', join([0x68, 0]), /no entry 0/],
    ['an opcode that does not exist', join([0x80, 2, 0xff]), /byte 2 is 255, which is no opcode/],
    ['LONG1 of 9 bytes', join([0x8a, 9, ...new Array(9).fill(1)]), /integer of 9 bytes/],
    ['LONG4 of 4 GiB', join([0x8b, 255, 255, 255, 255]), /integer of 4294967295 bytes/],
    [
      'BINUNICODE past the end',
      join([0x58, ...u32(0xffffffff), 0x61]),
      /4294967295 bytes are announced, but 1/,
    ],
    [
      'BINUNICODE8 past the end',
      join([0x8d, ...u64(2n ** 63n), 0x61]),
      /9223372036854775808|9223372036854776000/,
    ],
    ['BINBYTES8 past the end', join([0x8e, ...u64(2n ** 40n)]), /1099511627776 bytes/],
    ['BYTEARRAY8 past the end', join([0x96, ...u64(2n ** 40n)]), /1099511627776 bytes/],
    ['a string that is not UTF-8', join([0x8c, 1, 0xff]), /not UTF-8/],
    ['a lone surrogate', join([0x8c, 3, 0xed, 0xa0, 0x80]), /not UTF-8/],
    ['a name without an end', join([0x63], new Array(2000).fill(0x61)), /name does not end/],
    ['a name cut off', join([0x63], ascii('posix')), /name does not end/],
  ])('%s: refused', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(message);
    expect(() => read(bytes)).toThrow(InputError);
  });

  test('a million and more steps are refused: dicts, marks, and strings out of the memo', () => {
    for (const opcode of [0x7d, 0x28, 0x5d, 0x4e, 0x29])
      expect(() => read(new Uint8Array(2_000_000).fill(opcode))).toThrow(/more than 1000000 steps/);
  });

  test('a hundred thousand lists within each other, or marks, are read without recursion', () => {
    const deep = join(new Uint8Array(100_000).fill(0x5d), new Uint8Array(99_999).fill(0x61));
    let value = readValue(deep);
    let depth = 0;
    for (; Array.isArray(value) && value.length > 0; depth++) value = value[0];
    expect(depth).toBe(99_999);
    expect(
      readValue(join([0x4b, 1], new Uint8Array(100_000).fill(0x28), new Uint8Array(100_000).fill(0x30))),
    ).toBe(1);
  });

  test('opcodes at random end in a value or an InputError', async () => {
    const opcode = fc.constantFrom(
      ...'().012NIJKMLFG\x8a\x8b\x88\x89SUTXVBC\x8c\x8d\x8e\x96\x85\x86\x87]}latedsu\x8f\x90\x91chgjqpr\x94\x93Rb\x81\x92ioQP\x82\x83\x84\x95\x97\x98',
    );
    const piece = fc.oneof(
      { weight: 5, arbitrary: opcode.map((character) => [character.charCodeAt(0)]) },
      fc.nat(255).map((byte) => [byte]),
      fc.constantFrom(
        [...text('torch')],
        [...int(1)],
        [...global('collections', 'OrderedDict')],
        [...global('torch._utils', '_rebuild_tensor_v2')],
        [...tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu'), int(4))],
        [...tuple(int(2), int(2))],
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
        await valueOrInputError(() => read(join([0x80, 2], ...pieces.map((bytes) => [...bytes]), [0x2e])));
      }),
      { numRuns: 3000 },
    );
  });
});
