/**
 * Keys that work on every page, and those that a page adds while it is shown. A key does nothing where somebody is typing.
 * It must not know what keys do.
 */

export interface Key {
  readonly key: string;
  readonly does: string;
  readonly action: () => void;
}

const pageKeys = new Set<readonly Key[]>();

/** Adds keys until the function that is given back is called: `$effect(() => addKeys([...]))`. */
export function addKeys(keys: readonly Key[]): () => void {
  pageKeys.add(keys);
  return () => void pageKeys.delete(keys);
}

/** Those that pages have added, the latest first. */
export function addedKeys(): Key[] {
  return [...pageKeys].reverse().flat();
}

/** Does what `event`'s key is for; a page's own keys come first. */
export function press(event: KeyboardEvent, everywhere: readonly Key[]): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const found = [...addedKeys(), ...everywhere].find(({ key }) => key === event.key);
  if (found === undefined) return;
  event.preventDefault();
  found.action();
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  return target.isContentEditable || ['TEXTAREA', 'SELECT'].includes(target.tagName);
}
