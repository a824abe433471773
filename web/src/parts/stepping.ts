/** j and k through the links of a list. It must not know what the links lead to. */
import type { Key } from '../keys.ts';

/** `links` finds them anew each time; `what` is what one of them is called. */
export function steppingKeys(what: string, links: () => Iterable<HTMLElement>): Key[] {
  const step = (by: number) => () => {
    const all = [...links()];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
  };
  return [
    { key: 'j', does: `next ${what}`, action: step(1) },
    { key: 'k', does: `previous ${what}`, action: step(-1) },
  ];
}
