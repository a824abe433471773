/** What was measured as text: on a terminal, and in docs/performance.md between its markers. Ratios come first. */

/**
 * @typedef {{ what: string, value: string }} Ratio
 * @typedef {{ title: string, columns: string[], rows: string[][], note: string }} Table
 * @typedef {{ name: string, data: unknown, ratios: Ratio[], tables: Table[] }} Section
 */

/** Three digits, or all before the point. @param {number} value */
export function number(value) {
  if (!Number.isFinite(value)) return 'not measured';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
/** @param {number} value */
export const billions = (value) => number(value / 1e9);
/** @param {number} share */
export const percent = (share) => `${number(100 * share)} %`;
/** @param {number} ratio @param {string} of */
export const times = (ratio, of) => `${number(ratio)} times ${of}`.trim();

/** @param {Section[]} sections @returns {Table} */
function ratioTable(sections) {
  return {
    title: 'Ratios',
    columns: ['what', 'ratio'],
    rows: sections.flatMap(({ ratios }) => ratios.map(({ what, value }) => [what, value])),
    note: '',
  };
}

/** @param {string} machine @param {Section[]} sections */
export function asText(machine, sections) {
  const text = ({ title, columns, rows, note }) => {
    const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
    const line = (cells) => `  ${cells.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd();
    return [title, line(columns), ...rows.map(line), note && `  ${note}`, '']
      .filter((l) => l !== '' || !note)
      .join('\n');
  };
  const tables = sections.flatMap((section) => section.tables);
  return [machine, ...[ratioTable(sections), ...tables].filter(({ rows }) => rows.length > 0).map(text)].join(
    '\n\n',
  );
}

/**
 * The document with what stands between `<!-- measured:NAME -->` and `<!-- /measured:NAME -->` replaced, for the machine, the
 * ratios, and each section. Throws where a marker is missing.
 * @param {string} document @param {string} machine @param {Section[]} sections
 */
export function intoDocument(document, machine, sections) {
  const row = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const markdown = ({ title, columns, rows, note }) =>
    [`**${title}**`, '', row(columns), row(columns.map(() => '---')), ...rows.map(row), '', note]
      .join('\n')
      .trimEnd();
  const blocks = {
    machine,
    ratios: markdown(ratioTable(sections)),
    ...Object.fromEntries(sections.map(({ name, tables }) => [name, tables.map(markdown).join('\n\n')])),
  };
  let result = document;
  for (const [name, block] of Object.entries(blocks)) {
    const [begin, end] = [`<!-- measured:${name} -->`, `<!-- /measured:${name} -->`];
    const [from, to] = [result.indexOf(begin), result.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/performance.md: no "${begin}" with "${end}" after it`);
    result = `${result.slice(0, from + begin.length)}\n\n${block}\n\n${result.slice(to)}`;
  }
  return result;
}
