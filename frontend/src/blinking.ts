/** A cursor that blinks at two frames a turn. CodeMirror's own is an endless animation, for which a browser looks at each
 * frame, sixty times a second, as long as the editor has the focus; what is typed waits for that. */
import { drawSelection, EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";

const BLINK_MS = 600;

const blinks = ViewPlugin.fromClass(class {
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(private readonly view: EditorView) {}

  update({ docChanged, selectionSet, focusChanged }: ViewUpdate): void {
    if (docChanged || selectionSet || focusChanged) this.restart();
  }

  destroy(): void {
    clearInterval(this.timer);
  }

  /** It is in sight where something has just been done. */
  private restart(): void {
    clearInterval(this.timer);
    this.show(true);
    let shown = true;
    if (this.view.hasFocus && !this.still.matches) this.timer = setInterval(() => { this.show(shown = !shown); }, BLINK_MS);
  }

  private show(shown: boolean): void {
    const layer = this.view.scrollDOM.querySelector<HTMLElement>(".cm-cursorLayer");
    if (layer) layer.style.visibility = shown ? "" : "hidden";
  }
});

/** Selections and cursors, of which there may be many. */
export const selections = [
  drawSelection({ cursorBlinkRate: 0 }), blinks, EditorView.theme({ ".cm-cursorLayer": { animation: "none !important" } }),
];
