/**
 * What `JSON.parse` lets pass and a format may not: a key given twice, where the last would win in silence, the
 * key `__proto__`, and nesting without end. It must not know which format asks.
 */

/**
 * Throws a SyntaxError where JSON `text` nests deeper than `maxDepth`, or where an object has a key twice or the
 * key `__proto__`. Text that is not JSON may pass: `JSON.parse` is to follow.
 */
export function checkJsonKeys(text: string, maxDepth: number): void {
  const open: Set<string>[] = [];
  // A string (with the colon that makes it a key), or a bracket.
  for (const [token, quoted, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")[ \t\r\n]*(:?)|[[\]{}]/gs)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth} levels`);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon === ':') {
      const key = JSON.parse(quoted) as string;
      const keys = open.at(-1);
      if (key === '__proto__') throw new SyntaxError('the key "__proto__" is not allowed');
      if (keys?.has(key)) throw new SyntaxError(`the key ${quoted} is given twice`);
      keys?.add(key);
    }
  }
}
