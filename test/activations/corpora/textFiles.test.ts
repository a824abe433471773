import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { textFilesCorpus } from '../../../src/activations/corpora/textFiles.ts';
import { type Corpus, documentCount, sequence, sequenceCount } from '../../../src/activations/corpus.ts';
import { InputError } from '../../../src/formats/errors.ts';
import { writeParquet } from '../../../src/formats/parquet.ts';
import { inTemporaryDirectory, letters } from '../helpers.ts';

/** The documents of a corpus as text, their sequences joined. */
function texts(corpus: Corpus): string[] {
  const result = Array<string>(documentCount(corpus)).fill('');
  for (let i = 0; i < sequenceCount(corpus); i++)
    result[corpus.documents[i]] += letters.decode(sequence(corpus, i).subarray(1));
  return result;
}

/** Writes files, given by name, and reads the corpus at `path` below them. */
async function read(
  files: Record<string, string | Uint8Array>,
  path: string,
  options: { context?: number; textField?: string } = {},
): Promise<Corpus> {
  let corpus: Corpus | undefined;
  await inTemporaryDirectory(async (directory) => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(directory, name, '..'), { recursive: true });
      await writeFile(join(directory, name), content);
    }
    corpus = await textFilesCorpus(join(directory, path), { tokenizer: letters, context: 8, ...options });
  });
  return corpus!;
}

/** The message of the InputError that reading ends in. */
async function problem(...args: Parameters<typeof read>): Promise<string> {
  const error = await read(...args).catch((reason) => reason);
  expect(error).toBeInstanceOf(InputError);
  return error.message;
}

describe('text files', () => {
  test('a file is one document, cut to the context', async () => {
    const corpus = await read({ 'a.txt': 'Once upon a time.\r\n\r\nThe end.\n' }, 'a.txt');
    expect(texts(corpus)).toEqual(['Once upon a time.\n\nThe end.']);
    expect(sequence(corpus, 0)).toEqual(letters.encode('Once up', { bos: true }));
    expect(sequenceCount(corpus)).toBe(4);
    expect([corpus.name, corpus.modelGenerated]).toEqual(['a.txt', false]);
  });

  test('lines of <|endoftext|> part documents', async () => {
    const text =
      '\uFEFFOne.\n<|endoftext|>\nTwo <|endoftext|> two.\n<|endoftext|>\r\n\n<|endoftext|>\nThree.';
    expect(texts(await read({ 'a.txt': text }, 'a.txt'))).toEqual([
      'One.',
      'Two <|endoftext|> two.',
      'Three.',
    ]);
  });

  test('bytes that are not UTF-8 are named by line', async () => {
    const bytes = Buffer.concat([Buffer.from('fine\ncaf'), Buffer.of(0xe9), Buffer.from('\n')]);
    expect(await problem({ 'a.txt': bytes }, 'a.txt')).toMatch(/a\.txt, line 2: not UTF-8/);
  });

  test('characters that fall on the edge of a read are whole', async () => {
    const text = `${'x'.repeat(65535)}é\n${'é'.repeat(40000)}`;
    expect(texts(await read({ 'a.txt': text }, 'a.txt', { context: 200_000 }))).toEqual([text]);
  });
});

describe('JSON lines', () => {
  test('a line is a document', async () => {
    const lines = '{"text":"One\\n"}\n\n{"id":1,"text":"Two\u2028two"}\n{"text":""}\n{"text":"Three"}';
    expect(texts(await read({ 'a.jsonl': lines }, 'a.jsonl'))).toEqual(['One', 'Two\u2028two', 'Three']);
  });

  test('the field can be chosen', async () => {
    const corpus = await read({ 'a.jsonl': '{"story":"One"}' }, 'a.jsonl', { textField: 'story' });
    expect(texts(corpus)).toEqual(['One']);
  });

  test.each([
    ['{"story":"Two","id":2}', /a\.jsonl, line 3: there is no field text; it has story, id/],
    ['{"text":7}', /a\.jsonl, line 3: field text is number/],
    ['{"text":null}', /a\.jsonl, line 3: field text is null/],
    ['["text"]', /a\.jsonl, line 3: not an object/],
    ['{"text":"Tw', /a\.jsonl, line 3: not JSON/],
  ])('%s is named by line', async (line, message) => {
    expect(await problem({ 'a.jsonl': `{"text":"One"}\n\n${line}\n` }, 'a.jsonl')).toMatch(message);
  });
});

describe('Parquet', () => {
  async function table(name: string, data: unknown[]): Promise<Uint8Array> {
    let bytes = new Uint8Array();
    await inTemporaryDirectory(async (directory) => {
      await writeParquet(join(directory, 'a.parquet'), [{ name, data }]);
      bytes = new Uint8Array(await readFile(join(directory, 'a.parquet')));
    });
    return bytes;
  }

  test('a row is a document', async () => {
    const corpus = await read({ 'a.parquet': await table('text', ['One', 'Zwölf', '']) }, 'a.parquet');
    expect(texts(corpus)).toEqual(['One', 'Zwölf']);
  });

  test('a missing column, one that is no text, and a damaged file are named', async () => {
    expect(await problem({ 'a.parquet': await table('story', ['One']) }, 'a.parquet')).toMatch(
      /a\.parquet: there is no column text; it has story/,
    );
    expect(await problem({ 'a.parquet': await table('text', [1, 2]) }, 'a.parquet')).toMatch(
      /a\.parquet, row 0: field text is number/,
    );
    expect(await problem({ 'a.parquet': 'PAR1' }, 'a.parquet')).toMatch(/a\.parquet/);
  });
});

describe('a directory', () => {
  const files = {
    'd/b.txt': 'Two',
    'd/a.jsonl': '{"text":"One"}',
    'd/sub/c.txt': 'Three',
    'd/note.md': 'No',
  };

  test('gives the documents of all its files, in the order of their names', async () => {
    expect(texts(await read(files, 'd'))).toEqual(['One', 'Two', 'Three']);
  });

  test('without any such file is refused', async () => {
    expect(await problem({ 'd/note.md': 'No' }, 'd')).toMatch(/d: there is no file in it that ends in \.txt/);
  });
});

describe('what is no corpus', () => {
  test('an empty file, blank lines and empty documents hold no text', async () => {
    expect(await problem({ 'a.txt': '' }, 'a.txt')).toMatch(/a\.txt: there is no text in it/);
    expect(await problem({ 'a.txt': ' \n\n<|endoftext|>\n' }, 'a.txt')).toMatch(/a\.txt: there is no text/);
    expect(await problem({ 'a.jsonl': '\n{"text":" "}\n' }, 'a.jsonl')).toMatch(/a\.jsonl: there is no text/);
  });

  test('another ending and a path that is not there are named', async () => {
    expect(await problem({ 'a.md': 'One' }, 'a.md')).toMatch(/a\.md: a corpus is read from \.txt, \.jsonl/);
    expect(await problem({}, 'b.txt')).toMatch(/b\.txt.*ENOENT/);
  });
});
