// What a renderer of the timeline can do. Two exist: WebGL2, and
// pixels computed in memory where there is no graphics card.

import type { Entry } from "../tiles/cache.js";
import type { Paint, Theme } from "../palette.js";

/** Each bin filled by shares. */
export const MODE_SHARES = 0;
/** Heights are numbers of goroutines: `gain` is how much of the row one of them is. */
export const MODE_COUNTS = 1;
/** The same without those that wait. */
export const MODE_WORKING = 2;

export interface Renderer {
  readonly name: string;
  /** Sizes in CSS pixels; `ratio` device pixels each. */
  begin(width: number, height: number, ratio: number, theme: Theme): void;
  /** Draws what follows only between two heights. */
  clip(top: number, bottom: number): void;
  /** The colours of the shares that follow. */
  paint(colours: Paint): void;
  /** A tile of shares: it would reach from `tileX` to `tileX + tileWidth`, and is shown from `x0` to `x1`. */
  shares(entry: Entry, tileX: number, tileWidth: number, x0: number, x1: number, y: number, height: number, mode: number, gain: number): void;
  /** A rectangle; `colour` is 0xAABBGGRR. Narrow ones cover pixels in part. */
  rect(x0: number, x1: number, y: number, height: number, colour: number, hatch: boolean): void;
  end(): void;
  /** A tile left the cache. */
  forget(entry: Entry): void;
  /** The canvas is gone. */
  dispose(): void;
}
