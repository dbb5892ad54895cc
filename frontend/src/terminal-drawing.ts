/** What draws a terminal: the GPU while the terminal is in sight and there is one, else the page's own elements.
 *
 * A browser has few WebGL contexts, so that a terminal out of sight gives its own back. Where the driver takes the
 * context away, the page's elements draw from then on. */
import type { Terminal } from "@xterm/xterm";

export class Drawing {
  private addon: { dispose(): void } | null = null;
  private wanted = false;
  private barred = false;

  constructor(private readonly terminal: Terminal) {}

  /** Whether the GPU draws now. */
  get byGpu(): boolean {
    return this.addon !== null;
  }

  /** Draw with the GPU, or not. */
  async use(wanted: boolean): Promise<void> {
    this.wanted = wanted;
    if (!wanted) {
      this.end();
      return;
    }
    if (this.addon || this.barred || !hasGpu()) return;
    const { WebglAddon } = await import("./xterm-webgl.js");
    if (!this.wanted || this.addon || this.barred) return;
    try {
      const addon = new WebglAddon();
      addon.onContextLoss(() => { this.bar(); });
      this.terminal.loadAddon(addon);
      this.addon = addon;
    } catch {
      this.bar(); // what was promised a moment ago is not to be had
    }
  }

  /** Leave the GPU for good. */
  bar(): void {
    this.barred = true;
    this.wanted = false;
    this.end();
  }

  private end(): void {
    this.addon?.dispose();
    this.addon = null;
  }
}

/** What WebGL is called where no GPU is behind it: slower than the page's own elements. */
const IMITATED = /swiftshader|llvmpipe|softpipe|software|basic render/i;
let gpu: boolean | undefined;

/** Is there WebGL 2 that is not only imitated by the processor? */
function hasGpu(): boolean {
  if (gpu === undefined) {
    const context = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
    const names = context?.getExtension("WEBGL_debug_renderer_info");
    gpu = context !== null && !IMITATED.test(String(context.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : context.RENDERER)));
    context?.getExtension("WEBGL_lose_context")?.loseContext();
  }
  return gpu;
}
