/** Inside a sandboxed frame that draws charts: what it hears from the page and says to it.
 *
 * The page sends orders, the newest of which holds; the frame answers with its height and with what went wrong. */
import { tellHeight } from "./height.js";

/** Colours of tokens.css, by name. */
export type Colours = Readonly<Record<"surface" | "sunken" | "ink" | "muted" | "line", string>>;

export interface Order {
  /** What the program put out. Nothing about it is known. */
  spec: unknown;
  /** The output's type. */
  type: string;
  dark: boolean;
  colours: Colours;
}

/** `fetch`: it wanted something from an address; it was drawn without. `draw`: it could not be drawn. */
export interface Problem {
  problem: "fetch" | "draw";
  detail: string;
}

type Say = (problem: Problem) => void;

function clothe({ dark, colours }: Order): void {
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  document.body.style.background = colours.surface;
  document.body.style.color = colours.ink;
}

/** Draw what the page orders into the body's first element. The script must stand behind that. */
export function drawCharts(draw: (place: HTMLElement, order: Order, say: Say) => Promise<unknown>): void {
  const nonce = document.currentScript?.dataset.nonce ?? "";
  const place = document.body.firstElementChild as HTMLElement;
  const say = (words: object): void => { parent.postMessage({ madang: nonce, ...words }, "*"); };
  let newest: Order | null = null;
  let drawing = false;
  const go = async (): Promise<void> => {
    if (drawing) return;
    drawing = true;
    while (newest) {
      const order: Order = newest;
      newest = null;
      clothe(order);
      try {
        if (order.spec === null || typeof order.spec !== "object") throw new TypeError("its description is no object");
        await draw(place, order, say);
      } catch (error) {
        say({ problem: "draw", detail: error instanceof Error ? error.message : String(error) });
      }
    }
    drawing = false;
  };
  addEventListener("message", (event: MessageEvent<{ madang?: unknown; order?: Order } | null>) => {
    if (event.source !== parent || event.data?.madang !== nonce || !event.data.order) return;
    newest = event.data.order;
    void go();
  });
  tellHeight(nonce);
  say({ ready: true });
}
