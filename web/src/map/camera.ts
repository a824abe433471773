/** What part of a map is in sight. It must not know what is on the map. */

/** `x`, `y` of the map stand in the middle; `scale` is pixels to a unit. The map's y points up, that of pixels down. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Of the map that is seen whole, this much of each side is left free. */
const MARGIN = 0.04;
/** How much nearer one can come than where all is seen. */
const NEAREST = 400;

/** Sees all of the points that have a place. */
export function cameraOn(xs: ArrayLike<number>, ys: ArrayLike<number>, size: Size): Camera {
  const [left, right] = extent(xs);
  const [bottom, top] = extent(ys);
  const free = 1 - 2 * MARGIN;
  const across = (free * size.width) / (right - left || 1);
  const down = (free * size.height) / (top - bottom || 1);
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Math.min(across, down) };
}

export function toPixels(camera: Camera, { width, height }: Size, { x, y }: Point): Point {
  return {
    x: width / 2 + (x - camera.x) * camera.scale,
    y: height / 2 - (y - camera.y) * camera.scale,
  };
}

export function toMap(camera: Camera, { width, height }: Size, { x, y }: Point): Point {
  return {
    x: camera.x + (x - width / 2) / camera.scale,
    y: camera.y - (y - height / 2) / camera.scale,
  };
}

/** Moves the map by pixels under the eye. */
export function moved(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y + dy / camera.scale };
}

/** Comes nearer by `factor`, and what is at `pixel` stays there; `whole` is where all is seen. */
export function zoomed(camera: Camera, size: Size, pixel: Point, factor: number, whole: Camera): Camera {
  const scale = Math.max(whole.scale / 2, Math.min(whole.scale * NEAREST, camera.scale * factor));
  const fixed = toMap(camera, size, pixel);
  const off = toMap({ ...camera, scale }, size, pixel);
  return { x: camera.x + fixed.x - off.x, y: camera.y + fixed.y - off.y, scale };
}

function extent(values: ArrayLike<number>): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > most) most = values[i];
  }
  return Number.isFinite(least) && Number.isFinite(most) ? [least, most] : [0, 0];
}
