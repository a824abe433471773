/** Long texts cut into passages. It must not know which texts. */

/**
 * Whole paragraphs, gathered into passages of `words` words at least; what is left at the end joins the last
 * passage where it has fewer than half as many. Paragraphs are parted by blank lines in the text, and by
 * one blank line in a passage. The lines of a paragraph are joined, as a book's line breaks mean nothing; but
 * a paragraph that is indented is verse and keeps its lines.
 */
export function passages(text: string, words: number): string[] {
  const result: string[][] = [];
  let open: string[] = [];
  let length = 0;
  for (const paragraph of paragraphs(text)) {
    open.push(paragraph);
    length += paragraph.split(/\s+/).length;
    if (length < words) continue;
    result.push(open);
    [open, length] = [[], 0];
  }
  if (length < words / 2 && result.length > 0) result.at(-1)!.push(...open);
  else if (open.length > 0) result.push(open);
  return result.map((parts) => parts.join('\n\n'));
}

function paragraphs(text: string): string[] {
  return text
    .replaceAll('\r\n', '\n')
    .split(/\n[ \t]*\n/)
    .map((block) => {
      const lines = block.split('\n').filter((line) => line.trim() !== '');
      const verse = lines.every((line) => /^\s/.test(line));
      return lines.map((line) => line.trim()).join(verse ? '\n' : ' ');
    })
    .filter((paragraph) => paragraph !== '');
}
