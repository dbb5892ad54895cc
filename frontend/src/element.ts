/** What all our elements share: the language, sentences, and clean-up. */
import { LitElement, type PropertyValues } from "lit";
import { property } from "lit/decorators.js";
import { type Key, type Language, languageOf, translate } from "./i18n.js";

export class MadangElement extends LitElement {
  /** "en" or "ko"; by default the page's. */
  @property({ reflect: true }) language = "";

  private cleanups: (() => void)[] = [];

  protected get languageCode(): Language {
    return languageOf(this.language || document.documentElement.lang);
  }

  t(key: Key, values?: Record<string, string | number>): string {
    return translate(this.languageCode, key, values);
  }

  /** Run `cleanup` when the element leaves the page. */
  protected onLeave(cleanup: () => void): void {
    this.cleanups.push(cleanup);
  }

  /** Listen until the element leaves the page. */
  protected listen(target: EventTarget, type: string, listener: (event: Event) => void, options?: AddEventListenerOptions): void {
    target.addEventListener(type, listener, options);
    this.onLeave(() => {
      target.removeEventListener(type, listener, options);
    });
  }

  protected emit(type: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Keep the focus for a part that is not there yet. Whoever goes elsewhere meanwhile is left there. */
  protected holdFocus(): void {
    this.tabIndex = -1;
    super.focus();
  }

  /** The part is there: was the focus still kept for it? From now on the element itself is no place to be. */
  protected releaseFocus(): boolean {
    const held = this.matches(":focus");
    this.removeAttribute("tabindex"); // before anything inside has the focus: in Chromium it loses it by this
    return held;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    const all = this.cleanups;
    this.cleanups = [];
    for (const cleanup of all) cleanup();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("language") && this.language) this.lang = this.language;
  }
}
