/** Jupyter's widgets in outputs. Each is drawn inside a sandboxed frame (frames/widget-frame.ts), which speaks with the kernel
 * through the page: comms and nothing else. */
import { TOKENS } from "./frames/widget-look.js";
import type { Comms, FromWidget, Tokens, ToWidget } from "./frames/widget-words.js";
import { fill, type Language } from "./i18n.js";
import { isDark, makeFrame, note, tokens, watchTheme } from "./output-frames.js";

const TALLEST = 2000;

/** Where the comms of an output's kernel are: there may be no kernel yet, or another one later. */
export interface WidgetSource {
  readonly comms: Comms | null;
  /** Call `changed` when there are others; not any more once what is returned is called. */
  onComms: (changed: () => void) => () => void;
}

const en = {
  widget: "Widget", gone: "This widget's kernel is gone. Run the cell again.", away: "Run the cell to bring this widget to life.", nowhere: "Widgets come to life in notebooks.",
  class: "This widget needs JavaScript that is not here: {detail}.", draw: "This widget could not be drawn: {detail}",
};
const ko: Record<keyof typeof en, string> = {
  widget: "위젯", gone: "이 위젯의 커널이 없어졌습니다. 셀을 다시 실행하세요.", away: "이 위젯을 쓰려면 셀을 실행하세요.", nowhere: "위젯은 노트북에서 움직입니다.",
  class: "이 위젯에 필요한 자바스크립트가 여기에는 없습니다: {detail}.", draw: "이 위젯을 그리지 못했습니다: {detail}",
};

/** Show a widget in `host` as long as its kernel has it; `instead` shows something else there. */
export async function showWidget(host: HTMLElement, view: unknown, source: WidgetSource | null, language: Language, instead: () => Promise<void>): Promise<void> {
  const words = language === "ko" ? ko : en;
  const model = (view as { model_id?: unknown } | null)?.model_id;
  const say = async (problem: keyof typeof en, detail = ""): Promise<void> => {
    await instead();
    host.prepend(note(fill(words[problem], { detail: detail.slice(0, 300) })));
  };
  const comms = source?.comms;
  if (comms && typeof model === "string") frameOf(host, model, comms, words.widget, (problem, detail) => void say(problem, detail));
  else await say(source ? "away" : "nowhere");
}

function frameOf(host: HTMLElement, model: string, comms: Comms, label: string, fail: (problem: "gone" | "class" | "draw", detail: string) => void): void {
  const token = tokens(host);
  const { frame, tell } = makeFrame(host, {
    label, tallest: TALLEST, script: "widget-frame", before: "", after: "",
    onWords: (said) => { hear(said as FromWidget); },
  });
  const order = (words: ToWidget): void => { tell(words); };
  let shown = false; // until then what is heard becomes known
  const leave = comms.listen(
    (heard) => {
      if (!frame.isConnected) leave();
      else if (shown) order({ heard });
    },
    () => {
      leave();
      if (frame.isConnected) fail("gone", "");
    },
  );
  const look = (): Tokens => Object.fromEntries(TOKENS.map((name) => [name, token(name)]));
  const show = async (): Promise<void> => {
    await comms.whenKnown(model);
    shown = true;
    order({ show: { model, dark: isDark(host), tokens: look(), known: comms.known(model) } });
  };
  const hear = (said: FromWidget): void => {
    if (said.ready) void show();
    else if (said.asksInfo) void comms.info().then((info) => { order({ info }); }, () => { order({ info: {} }); });
    else if (said.send) {
      const { id } = said.send;
      void comms.send(said.send).catch(() => undefined).then(() => { order({ done: id }); }); // the kernel that it was for is gone
    } else if (said.problem) {
      leave();
      fail(said.problem, String(said.detail ?? ""));
    }
  };
  watchTheme(frame, () => void show());
}
