/** The pictures of `plots.ts` in the report, with the key to their lines. It must not know where on the page a picture stands. */
import { type Html, html, trusted } from './html.ts';
import { svgText } from './picture.ts';
import { LINES, type Picture } from './plots.ts';

export function drawn({ title, options }: Picture): Html {
  return trusted(svgText(title, options));
}

/** The key to a picture: a short piece of each line with its words. */
export function legend(entries: readonly { line: number; text: string; solid?: boolean }[]): Html {
  return html`<ul class="legend">${entries.map(({ line, text, solid }) => {
    const { stroke, dash } = LINES[Math.min(line, LINES.length - 1)];
    const dashes = dash === undefined || solid ? undefined : html` stroke-dasharray="${dash}"`;
    return html`<li><svg width="22" height="8" aria-hidden="true"><path d="M0,4H22" stroke="${stroke}" stroke-width="2"${dashes} /></svg>${text}</li>`;
  })}</ul>`;
}
