/**
 * Markup from files, made harmless before it is put into the page: only the elements and attributes that pictures and posts of ours are
 * made of are let through, nothing that runs and nothing that asks for anything elsewhere. It must not know what is shown.
 */
import { DataError } from '../data/fetch.ts';

const SVG = {
  ALLOWED_TAGS: [
    '#text',
    'svg',
    'g',
    'text',
    'tspan',
    'line',
    'path',
    'circle',
    'ellipse',
    'rect',
    'polygon',
    'polyline',
  ],
  ALLOWED_ATTR: [
    ...['aria-label', 'aria-hidden', 'role', 'viewBox', 'width', 'height', 'transform', 'd', 'points'],
    ...['x', 'y', 'x1', 'x2', 'y1', 'y2', 'dx', 'dy', 'cx', 'cy', 'r', 'rx', 'ry'],
    ...['fill', 'fill-opacity', 'opacity', 'stroke', 'stroke-opacity', 'stroke-width', 'stroke-dasharray'],
    ...['stroke-linecap', 'stroke-linejoin', 'stroke-miterlimit', 'paint-order', 'text-anchor'],
    ...['font-size', 'font-style', 'font-weight', 'font-variant', 'dominant-baseline'],
  ],
  ALLOW_DATA_ATTR: false,
  // What is not let through goes with all that is in it; a title would show over every mark.
  KEEP_CONTENT: false,
  NAMESPACE: 'http://www.w3.org/1999/xhtml',
};

const HTML = {
  ALLOWED_TAGS: [
    ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code', 'hr', 'br'],
    ...['a', 'em', 'strong', 's', 'span', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'rel', 'title', 'class', 'start', 'data-figure', 'data-run'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
  // No addresses: these need not look like one.
  ADD_URI_SAFE_ATTR: ['rel', 'start', 'data-figure', 'data-run'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

async function purifier() {
  const { default: purify } = await import('dompurify');
  const own = purify(window);
  // A paint or a filter may be fetched from an address.
  own.addHook('uponSanitizeAttribute', (_, attribute) => {
    if (/url\s*\(/i.test(attribute.attrValue)) attribute.keepAttr = false;
  });
  return own;
}

let made: ReturnType<typeof purifier> | undefined;

/**
 * Renames event handlers, in tags only. What is parsed under the pages' policy never runs, but the browser notes each handler on its
 * console before anything can take it away.
 */
export function withoutHandlers(text: string): string {
  return text.replace(/<[^>]*>/g, (tag) => tag.replace(/([\s/"'])on(?=[a-z]+\s*=)/gi, '$1data-on'));
}

/** A picture for the page. DataError where nothing is left of it. */
export async function cleanSvg(text: string): Promise<SVGSVGElement> {
  made ??= purifier();
  const fragment = (await made).sanitize(withoutHandlers(text), { ...SVG, RETURN_DOM_FRAGMENT: true });
  const svg = fragment.querySelector('svg');
  if (svg === null) throw new DataError('the picture is no SVG that can be shown');
  return svg as SVGSVGElement;
}

/** HTML of a post for the page. */
export async function cleanHtml(text: string): Promise<string> {
  made ??= purifier();
  return (await made).sanitize(text, HTML);
}
