/** From the map to pixels and back, nearer and farther. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cameraOn, moved, toMap, toPixels, zoomed } from '../../../web/src/map/camera.ts';

const size = { width: 800, height: 500 };
const coordinate = fc.double({ min: -100, max: 100, noNaN: true });
const point = fc.record({ x: coordinate, y: coordinate });
const camera = fc.record({
  x: coordinate,
  y: coordinate,
  scale: fc.double({ min: 0.1, max: 100, noNaN: true }),
});

describe('the camera', () => {
  it('finds a place again', () => {
    fc.assert(
      fc.property(camera, point, (eye, place) => {
        const again = toMap(eye, size, toPixels(eye, size, place));
        expect(again.x).toBeCloseTo(place.x, 6);
        expect(again.y).toBeCloseTo(place.y, 6);
      }),
    );
  });

  it('sees all points, however few, and passes over those without a place', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), (points) => {
        const xs = [...points.map(({ x }) => x), Number.NaN];
        const ys = [...points.map(({ y }) => y), Number.NaN];
        const eye = cameraOn(xs, ys, size);
        for (const one of points) {
          const { x, y } = toPixels(eye, size, one);
          expect(x >= 0 && x <= size.width && y >= 0 && y <= size.height).toBe(true);
        }
        expect(Number.isFinite(eye.x + eye.y + eye.scale)).toBe(true);
      }),
    );
  });

  it('keeps what is under the pointer as it comes nearer, within bounds', () => {
    const whole = { x: 0, y: 0, scale: 2 };
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), (factor) => {
        const pixel = { x: 120, y: 40 };
        const eye = zoomed(whole, size, pixel, factor, whole);
        expect(eye.scale).toBeGreaterThanOrEqual(1);
        expect(eye.scale).toBeLessThanOrEqual(800);
        const [before, after] = [toMap(whole, size, pixel), toMap(eye, size, pixel)];
        expect(after.x).toBeCloseTo(before.x, 6);
        expect(after.y).toBeCloseTo(before.y, 6);
      }),
    );
  });

  it('moves with the hand', () => {
    const eye = { x: 1, y: 2, scale: 4 };
    const place = { x: 3, y: 5 };
    const [before, after] = [toPixels(eye, size, place), toPixels(moved(eye, 30, -20), size, place)];
    expect(after.x - before.x).toBeCloseTo(30);
    expect(after.y - before.y).toBeCloseTo(-20);
  });
});
