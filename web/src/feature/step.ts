/** Which latent comes before or after another. It must not know what the order is by. */

/** The latent `by` places on, in `order` where it is given and holds the latent, else by number; undefined where there is none. */
export function beside(
  latent: number,
  order: ArrayLike<number> | undefined,
  latents: number,
  by: 1 | -1,
): number | undefined {
  const place = order ? Array.prototype.indexOf.call(order, latent) : -1;
  if (order && place >= 0) return order[place + by];
  const next = latent + by;
  return next >= 0 && next < latents ? next : undefined;
}
