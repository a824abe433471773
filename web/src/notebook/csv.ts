/** Records as a table and as files to take away. It must not know what they are. */

type Value = number | string | boolean | null | undefined;
type Row = Readonly<Record<string, Value>>;

/** The fields of all records, in the order in which they come. */
export function fieldsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

/** A field's name may be that of something that every object has. */
export function cellOf(row: Row, field: string): Value {
  return Object.hasOwn(row, field) ? row[field] : undefined;
}

/** As RFC 4180 has it; what is null is empty. */
export function csvOf(rows: readonly Row[]): string {
  const fields = fieldsOf(rows);
  const cell = (value: Value) => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [fields, ...rows.map((row) => fields.map((field) => cellOf(row, field)))]
    .map((cells) => `${cells.map(cell).join(',')}\r\n`)
    .join('');
}

/** Hands a text to the reader as a file. */
export function offer(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser takes the file up after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
