/** The sizes of the panels: kept in this browser, changed with a separator by mouse, finger or keys. */
import { css, html, type TemplateResult } from "lit";

export interface Sizes {
  left: number;
  right: number;
  bottom: number;
}

const NORMAL: Sizes = { left: 232, right: 36, bottom: 262 };
const LIMITS: Record<keyof Sizes, [number, number]> = { left: [140, 480], right: [18, 70], bottom: [90, 520] };
const STEP: Record<keyof Sizes, number> = { left: 16, right: 2, bottom: 16 };
const KEY = "madang-layout";

export function readSizes(): Sizes {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Sizes>;
    return {
      left: clamp("left", stored.left ?? NORMAL.left),
      right: clamp("right", stored.right ?? NORMAL.right),
      bottom: clamp("bottom", stored.bottom ?? NORMAL.bottom),
    };
  } catch {
    return { ...NORMAL }; // storage is forbidden or holds something else
  }
}

function clamp(which: keyof Sizes, value: number): number {
  const [least, most] = LIMITS[which];
  return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : NORMAL[which];
}

export const separatorStyle = css`
  .separator { position: relative; z-index: 2; background: var(--line); touch-action: none; outline-offset: -1px; transition: background var(--fast); }
  .separator:hover, .separator:focus-visible, .separator:active { background: var(--accent); }
  .separator::after { content: ""; position: absolute; inset: -4px; }
  .separator[aria-orientation="vertical"] { cursor: col-resize; }
  .separator[aria-orientation="horizontal"] { cursor: row-resize; }
`;

/** A separator that changes one of the sizes. `space` is the extent of what it divides, in pixels. */
export function separator(which: keyof Sizes, sizes: Sizes, label: string, space: () => number, change: (sizes: Sizes) => void): TemplateResult {
  const set = (value: number): void => {
    const fresh = { ...sizes, [which]: clamp(which, value) };
    change(fresh);
    try {
      localStorage.setItem(KEY, JSON.stringify(fresh));
    } catch {
      return; // then it holds for this page only
    }
  };
  const sign = which === "left" ? 1 : -1;
  const scale = (): number => (which === "right" ? 100 / Math.max(space(), 1) : 1);
  const down = (event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    const [start, from] = [which === "bottom" ? event.clientY : event.clientX, sizes[which]];
    handle.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => {
      const now = which === "bottom" ? moved.clientY : moved.clientX;
      set(from + (now - start) * sign * scale());
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", () => { handle.removeEventListener("pointermove", move); }, { once: true });
  };
  const key = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowRight: sign, ArrowLeft: -sign, ArrowDown: sign, ArrowUp: -sign };
    const along = which === "bottom" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const step = steps[event.key];
    if (event.key === "Enter") set(NORMAL[which]);
    else if (step !== undefined && along.includes(event.key)) set(sizes[which] + step * STEP[which]);
    else return;
    event.preventDefault();
  };
  const [least, most] = LIMITS[which];
  return html`<div class="separator" role="separator" tabindex="0" aria-label=${label} aria-orientation=${which === "bottom" ? "horizontal" : "vertical"}
    aria-valuenow=${Math.round(sizes[which])} aria-valuemin=${least} aria-valuemax=${most} style="grid-area:${which}-separator"
    @pointerdown=${down} @keydown=${key} @dblclick=${() => { set(NORMAL[which]); }}></div>`;
}
