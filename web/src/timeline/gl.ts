// The timeline in WebGL2. Shares live in a texture, one row for a tile of a lane, and the fragment
// shader stacks them; spans are instanced rectangles whose edges cover pixels in part. Buffers are
// made once: a frame allocates nothing.

import { paint, STACKED, STATES, STATE, WORKING, type Paint, type Theme } from "../palette.js";
import type { Entry } from "../tiles/cache.js";
import { BINS } from "../tiles/decode.js";
import type { Renderer } from "./render.js";

const SLOTS = 2048;
const TEXELS = 3; // 10 shares and 2 bytes for the height, in three RGBA texels a bin
const MAX_SHARES = 4096;
const MAX_RECTS = 65536;
const SHARE_WORDS = 10;
const RECT_WORDS = 6;

const SHARES_VS = `#version 300 es
layout(location=0) in vec4 box;   // x0, x1, y, height
layout(location=1) in vec4 bins;  // first bin, last bin, row of the texture, mode
layout(location=2) in vec2 scale; // gain, greatest count of the tile
uniform vec2 size;
out vec2 at; flat out vec4 info;
void main() {
  vec2 c = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec2 p = vec2(mix(box.x, box.y, c.x), box.z + box.w * c.y);
  gl_Position = vec4(p.x / size.x * 2.0 - 1.0, 1.0 - p.y / size.y * 2.0, 0.0, 1.0);
  at = vec2(mix(bins.x, bins.y, c.x), 1.0 - c.y);
  info = vec4(bins.z, bins.w, scale);
}`;

const SHARES_FS = `#version 300 es
precision highp float;
uniform sampler2D tiles; uniform vec4 colours[${STATES}]; uniform float hatches[${STATES}];
in vec2 at; flat in vec4 info; out vec4 o;
void main() {
  int bin = clamp(int(at.x), 0, ${BINS - 1}) * ${TEXELS};
  int row = int(info.x);
  vec4 a = texelFetch(tiles, ivec2(bin, row), 0);
  vec4 b = texelFetch(tiles, ivec2(bin + 1, row), 0);
  vec4 c = texelFetch(tiles, ivec2(bin + 2, row), 0);
  float count = (c.z * 65280.0 + c.w * 255.0) / 65535.0 * info.w;
  float height = info.y < 0.5 ? min(1.0, count) : count * info.z;
  float s[${STATES}] = float[${STATES}](a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w, c.x, c.y);
  int most = info.y > 1.5 ? ${WORKING} : ${STATES};
  float sum = 0.0;
  for (int i = 0; i < ${STATES}; i++) {
    if (i >= most) break;
    sum += s[i] * height;
    if (at.y < sum) {
      vec4 k = colours[i];
      float hatch = hatches[i] * step(0.6, fract((gl_FragCoord.x + gl_FragCoord.y) / 6.0)) * 0.22;
      o = vec4(k.rgb * (1.0 - hatch), k.a);
      return;
    }
  }
  discard;
}`;

const RECTS_VS = `#version 300 es
layout(location=0) in vec4 box;    // x0, x1, y, height
layout(location=1) in vec4 colour;
layout(location=2) in float hatch;
uniform vec2 size; uniform float ratio;
out float x; flat out vec2 edges; flat out vec4 k; flat out float h;
void main() {
  vec2 c = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  // Out to whole device pixels: the fragment shader says how much of each is covered.
  float x0 = floor(box.x * ratio), x1 = max(ceil(box.y * ratio), x0 + 1.0);
  x = mix(x0, x1, c.x);
  edges = box.xy * ratio; k = colour; h = hatch;
  float y = box.z + box.w * c.y;
  gl_Position = vec4(x / ratio / size.x * 2.0 - 1.0, 1.0 - y / size.y * 2.0, 0.0, 1.0);
}`;

const RECTS_FS = `#version 300 es
precision highp float;
in float x; flat in vec2 edges; flat in vec4 k; flat in float h; out vec4 o;
void main() {
  float p = floor(x);
  // What is much narrower than a pixel still shows.
  float cover = clamp(min(edges.y, p + 1.0) - max(edges.x, p), 0.3, 1.0);
  float dark = h > 0.5 ? step(0.6, fract((gl_FragCoord.x + gl_FragCoord.y) / 6.0)) * 0.22 : 0.0;
  o = vec4(k.rgb * (1.0 - dark), k.a * cover);
}`;

export class GlRenderer implements Renderer {
  readonly name = "WebGL2";
  private gl: WebGL2RenderingContext;
  private shareProgram: WebGLProgram;
  private rectProgram: WebGLProgram;
  private shareVao: WebGLVertexArrayObject;
  private rectVao: WebGLVertexArrayObject;
  private shareBuffer: WebGLBuffer;
  private rectBuffer: WebGLBuffer;
  private shareData = new Float32Array(MAX_SHARES * SHARE_WORDS);
  private rectBytes = new ArrayBuffer(MAX_RECTS * RECT_WORDS * 4);
  private rectFloats = new Float32Array(this.rectBytes);
  private rectWords = new Uint32Array(this.rectBytes);
  private nShares = 0;
  private nRects = 0;
  private free: number[] = [];
  private owners: (Entry | null)[] = new Array<Entry | null>(SLOTS).fill(null);
  /** The greatest count of a tile, by its row of the texture. */
  private most = new Float32Array(SLOTS);
  private bytes = new Uint8Array(BINS * TEXELS * 4);
  private width = 1;
  private height = 1;
  private ratio = 1;
  private painted: Paint | null = null;
  private colours = new Float32Array(STATES * 4);
  private uniforms: Record<string, WebGLUniformLocation | null>;

  static make(canvas: HTMLCanvasElement, forced: boolean): GlRenderer | null {
    if (!forced && imitated()) return null;
    const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, premultipliedAlpha: true, failIfMajorPerformanceCaveat: !forced });
    try {
      return gl ? new GlRenderer(canvas, gl) : null;
    } catch {
      return null;
    }
  }

  private constructor(private canvas: HTMLCanvasElement, gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.shareProgram = program(gl, SHARES_VS, SHARES_FS);
    this.rectProgram = program(gl, RECTS_VS, RECTS_FS);
    this.uniforms = {
      shareSize: gl.getUniformLocation(this.shareProgram, "size"),
      colours: gl.getUniformLocation(this.shareProgram, "colours"),
      rectSize: gl.getUniformLocation(this.rectProgram, "size"),
      ratio: gl.getUniformLocation(this.rectProgram, "ratio"),
    };
    gl.useProgram(this.shareProgram);
    gl.uniform1fv(gl.getUniformLocation(this.shareProgram, "hatches"), STACKED.map((s) => (STATE[s]!.hatch ? 1 : 0)));
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, BINS * TEXELS, SLOTS);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    for (let i = SLOTS - 1; i >= 0; i--) this.free.push(i);

    this.shareVao = gl.createVertexArray();
    this.shareBuffer = gl.createBuffer();
    gl.bindVertexArray(this.shareVao);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.shareBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.shareData.byteLength, gl.DYNAMIC_DRAW);
    attribute(gl, 0, 4, gl.FLOAT, false, SHARE_WORDS * 4, 0);
    attribute(gl, 1, 4, gl.FLOAT, false, SHARE_WORDS * 4, 16);
    attribute(gl, 2, 2, gl.FLOAT, false, SHARE_WORDS * 4, 32);

    this.rectVao = gl.createVertexArray();
    this.rectBuffer = gl.createBuffer();
    gl.bindVertexArray(this.rectVao);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.rectBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.rectBytes.byteLength, gl.DYNAMIC_DRAW);
    attribute(gl, 0, 4, gl.FLOAT, false, RECT_WORDS * 4, 0);
    attribute(gl, 1, 4, gl.UNSIGNED_BYTE, true, RECT_WORDS * 4, 16);
    attribute(gl, 2, 1, gl.FLOAT, false, RECT_WORDS * 4, 20);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  begin(width: number, height: number, ratio: number, theme: Theme): void {
    const gl = this.gl;
    const w = Math.max(1, Math.round(width * ratio));
    const h = Math.max(1, Math.round(height * ratio));
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    gl.viewport(0, 0, w, h);
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.paint(paint(theme, null));
  }

  paint(p: Paint): void {
    if (p === this.painted) return;
    this.painted = p;
    // The colours are of a whole batch.
    this.flush();
    for (let i = 0; i < STATES; i++) {
      this.colours[i * 4] = (p[i]! & 255) / 255;
      this.colours[i * 4 + 1] = ((p[i]! >> 8) & 255) / 255;
      this.colours[i * 4 + 2] = ((p[i]! >> 16) & 255) / 255;
      this.colours[i * 4 + 3] = (p[i]! >>> 24) / 255;
    }
    this.gl.useProgram(this.shareProgram);
    this.gl.uniform4fv(this.uniforms.colours!, this.colours);
  }

  clip(top: number, bottom: number): void {
    this.flush();
    const gl = this.gl;
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(0, Math.round((this.height - bottom) * this.ratio), this.canvas.width, Math.max(0, Math.round((bottom - top) * this.ratio)));
  }

  shares(entry: Entry, tileX: number, tileWidth: number, x0: number, x1: number, y: number, height: number, mode: number, gain: number): void {
    if (entry.slot < 0 && !this.upload(entry)) return;
    if (this.nShares === MAX_SHARES) this.flush();
    const d = this.shareData;
    let k = this.nShares++ * SHARE_WORDS;
    d[k++] = x0;
    d[k++] = x1;
    d[k++] = y;
    d[k++] = height;
    d[k++] = ((x0 - tileX) / tileWidth) * BINS;
    d[k++] = ((x1 - tileX) / tileWidth) * BINS;
    d[k++] = entry.slot;
    d[k++] = mode;
    d[k++] = gain;
    d[k] = this.most[entry.slot]!;
  }

  rect(x0: number, x1: number, y: number, height: number, colour: number, hatch: boolean): void {
    if (this.nRects === MAX_RECTS) this.flush();
    let k = this.nRects++ * RECT_WORDS;
    const f = this.rectFloats;
    f[k++] = x0;
    f[k++] = x1;
    f[k++] = y;
    f[k++] = height;
    this.rectWords[k++] = colour;
    f[k] = hatch ? 1 : 0;
  }

  private upload(entry: Entry): boolean {
    const tile = entry.tile;
    if (tile.kind !== "shares") return false;
    let slot = this.free.pop();
    if (slot === undefined) {
      // Someone else's row: whoever was not drawn for longest.
      let oldest = -1;
      for (let i = 0; i < SLOTS; i++) {
        const o = this.owners[i]!;
        if (oldest < 0 || o.usedAt < this.owners[oldest]!.usedAt) oldest = i;
      }
      this.owners[oldest]!.slot = -1;
      slot = oldest;
    }
    let most = 0;
    for (let i = 0; i < BINS; i++) most = Math.max(most, tile.counts[i]!);
    const out = this.bytes;
    for (let i = 0; i < BINS; i++) {
      const at = i * TEXELS * 4;
      for (let s = 0; s < STATES; s++) out[at + s] = tile.shares[i * tile.states + STACKED[s]!]!;
      const h = most > 0 ? Math.round((tile.counts[i]! / most) * 65535) : 0;
      out[at + 10] = h >> 8;
      out[at + 11] = h & 255;
    }
    const gl = this.gl;
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, slot, BINS * TEXELS, 1, gl.RGBA, gl.UNSIGNED_BYTE, out);
    entry.slot = slot;
    this.owners[slot] = entry;
    this.most[slot] = most;
    return true;
  }

  forget(entry: Entry): void {
    if (entry.slot < 0) return;
    this.owners[entry.slot] = null;
    this.free.push(entry.slot);
    entry.slot = -1;
  }

  private flush(): void {
    const gl = this.gl;
    if (this.nShares > 0) {
      gl.useProgram(this.shareProgram);
      gl.uniform2f(this.uniforms.shareSize!, this.width, this.height);
      gl.bindVertexArray(this.shareVao);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.shareBuffer);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.shareData, 0, this.nShares * SHARE_WORDS);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.nShares);
      this.nShares = 0;
    }
    if (this.nRects > 0) {
      gl.useProgram(this.rectProgram);
      gl.uniform2f(this.uniforms.rectSize!, this.width, this.height);
      gl.uniform1f(this.uniforms.ratio!, this.ratio);
      gl.bindVertexArray(this.rectVao);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.rectBuffer);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.rectFloats, 0, this.nRects * RECT_WORDS);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.nRects);
      this.nRects = 0;
    }
  }

  end(): void {
    this.flush();
  }

  /** Browsers allow a page only so many contexts. */
  dispose(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** Whether the graphics card is imitated by software: pixels.ts is ten times as fast as that. */
let isImitated: boolean | null = null;
function imitated(): boolean {
  return (isImitated ??= askWhetherImitated());
}

function askWhetherImitated(): boolean {
  // Asked of another canvas: one that had a context of WebGL never has one of 2D.
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return true;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

function attribute(gl: WebGL2RenderingContext, at: number, n: number, type: number, normal: boolean, stride: number, offset: number): void {
  gl.enableVertexAttribArray(at);
  gl.vertexAttribPointer(at, n, type, normal, stride, offset);
  gl.vertexAttribDivisor(at, 1);
}

function program(gl: WebGL2RenderingContext, vs: string, fs: string): WebGLProgram {
  const p = gl.createProgram();
  for (const [type, text] of [[gl.VERTEX_SHADER, vs], [gl.FRAGMENT_SHADER, fs]] as const) {
    const s = gl.createShader(type)!;
    gl.shaderSource(s, text);
    gl.compileShader(s);
    if (!gl.getShaderParameter(s, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(s) ?? "shader");
    gl.attachShader(p, s);
  }
  gl.linkProgram(p);
  if (!gl.getProgramParameter(p, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(p) ?? "program");
  return p;
}
