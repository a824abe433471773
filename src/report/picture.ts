/**
 * A picture of Observable Plot as static SVG, with linkedom as the document. It must not know what is drawn, nor where the
 * picture stands.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Draws, and names the picture. Plot's own style element is left out: the page's sheet allows no other. */
export function svgText(title: string, options: Plot.PlotOptions): string {
  const picture = Plot.plot({ className: 'plot', ...options, document: document as never });
  picture.querySelector('style')?.remove();
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', title);
  picture.removeAttribute('font-family');
  picture.removeAttribute('font-size');
  const name = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  name.textContent = title;
  picture.prepend(name as never);
  return (picture as unknown as { outerHTML: string }).outerHTML;
}

/** A picture of `svgText` as a file of its own, on white. */
export function standaloneSvg(svg: string): string {
  const own =
    'xmlns="http://www.w3.org/2000/svg" style="background:#fff;color:#222" font-family="sans-serif" font-size="10"';
  return svg.replace('<svg', `<svg ${own}`);
}
