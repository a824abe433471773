/**
 * Draws points with WebGL2, a colour of a palette each: a hundred thousand in one call. Shaders are text that is compiled here,
 * which the site's policy lets pass. It must not know what points stand for.
 */
import type { Camera, Size } from './camera.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Colours of a palette at most. */
export const MOST_COLOURS = 16;

const VERTEX = `#version 300 es
uniform vec2 centre;
uniform vec2 scale;
uniform float size;
uniform vec3 palette[${MOST_COLOURS}];
in vec2 place;
in float code;
in float faint;
out vec4 colour;
void main() {
  gl_Position = vec4((place - centre) * scale, 0.0, 1.0);
  gl_PointSize = size;
  colour = vec4(palette[int(code)], mix(0.75, 0.12, faint));
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 colour;
out vec4 drawn;
void main() {
  float away = length(gl_PointCoord - 0.5);
  float alpha = colour.a * (1.0 - smoothstep(0.38, 0.5, away));
  drawn = vec4(colour.rgb * alpha, alpha);
}`;

export class PointRenderer {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #places: WebGLBuffer;
  readonly #codes: WebGLBuffer;
  readonly #faint: WebGLBuffer;
  #count = 0;

  /** Error where this browser has no WebGL2. */
  constructor(canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { antialias: false, premultipliedAlpha: true });
    if (gl === null) throw new Error('this browser has no WebGL2, with which the map is drawn');
    this.#gl = gl;
    this.#program = programOf(gl);
    [this.#places, this.#codes, this.#faint] = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
    gl.useProgram(this.#program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
    this.#attribute('place', this.#places, 2, gl.FLOAT);
    this.#attribute('code', this.#codes, 1, gl.UNSIGNED_BYTE);
    this.#attribute('faint', this.#faint, 1, gl.UNSIGNED_BYTE);
  }

  /** Points without a place lie outside all that can be seen. */
  setPlaces(x: ArrayLike<number>, y: ArrayLike<number>): void {
    const places = new Float32Array(2 * x.length);
    for (let i = 0; i < x.length; i++) {
      const placed = Number.isFinite(x[i]) && Number.isFinite(y[i]);
      places[2 * i] = placed ? x[i] : 1e30;
      places[2 * i + 1] = placed ? y[i] : 1e30;
    }
    this.#count = x.length;
    this.#fill(this.#places, places);
    this.#fill(this.#faint, new Uint8Array(x.length));
    this.#fill(this.#codes, new Uint8Array(x.length));
  }

  /** The place of each point's colour in the palette, less than `MOST_COLOURS`. */
  setCodes(codes: Uint8Array): void {
    this.#fill(this.#codes, codes);
  }

  setPalette(palette: readonly Colour[]): void {
    const values = new Float32Array(3 * MOST_COLOURS);
    for (const [i, colour] of palette.slice(0, MOST_COLOURS).entries()) values.set(colour, 3 * i);
    this.#gl.uniform3fv(this.#uniform('palette'), values);
  }

  /** 1 for a point that is to step back. */
  setFaint(faint: Uint8Array): void {
    this.#fill(this.#faint, faint);
  }

  /** `pointSize` in pixels of the page, of which `density` are drawn to one. */
  draw(camera: Camera, { width, height }: Size, pointSize: number, density: number): void {
    const gl = this.#gl;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.#uniform('centre'), camera.x, camera.y);
    gl.uniform2f(this.#uniform('scale'), (2 * camera.scale) / width, (2 * camera.scale) / height);
    gl.uniform1f(this.#uniform('size'), pointSize * density);
    gl.drawArrays(gl.POINTS, 0, this.#count);
  }

  #attribute(name: string, buffer: WebGLBuffer, size: number, type: number): void {
    const gl = this.#gl;
    const at = gl.getAttribLocation(this.#program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, type, false, 0, 0);
  }

  #fill(buffer: WebGLBuffer, values: Float32Array<ArrayBuffer> | Uint8Array): void {
    this.#gl.bindBuffer(this.#gl.ARRAY_BUFFER, buffer);
    this.#gl.bufferData(this.#gl.ARRAY_BUFFER, values as BufferSource, this.#gl.STATIC_DRAW);
  }

  #uniform(name: string): WebGLUniformLocation | null {
    return this.#gl.getUniformLocation(this.#program, name);
  }
}

function programOf(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type);
    if (shader === null) throw new Error('WebGL2 makes no shader');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS))
    throw new Error(`WebGL2 refuses the map's shaders: ${gl.getProgramInfoLog(program)}`);
  return program;
}
