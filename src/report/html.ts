/**
 * HTML by template: whatever is put into a template is escaped, unless it is HTML already. It must not know what
 * the page says.
 */

/** Markup that is safe to put into a page as it is. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | undefined | readonly Part[];

/** Markup with its values escaped; arrays are joined, and undefined is nothing. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  let text = strings[0];
  for (const [i, value] of values.entries()) text += rendered(value) + strings[i + 1];
  return { html: text };
}

/** Markup that was made by other means than `html` and has been escaped there. */
export function trusted(markup: string): Html {
  return { html: markup };
}

function rendered(value: Part): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeHtml(visible(value));
  if (typeof value === 'number') return String(value);
  if ('html' in value) return value.html;
  return value.map(rendered).join('');
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Characters that a page would swallow, or that would turn the text around them: controls, marks of direction, tags. */
const UNSEEN =
  /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** `text` with each unseen character put as one that is seen: a line break as ↵, U+202E as ⟨U+202E⟩. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0)!;
    if (character === '\n') return '↵';
    if (character === '\t') return '⇥';
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return '␡';
    if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}
