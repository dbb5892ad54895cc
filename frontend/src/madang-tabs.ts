/** Groups of tabs side by side. What a tab shows is a child of this element whose `slot` is the tab's name: it stays
 * where it is in the page when its tab moves, and so keeps all it has.
 *
 * Properties: `groups` (see groups.ts), `describe` (how a tab looks), `actions` (more items for a tab's menu).
 * Attributes: `bare` (no strips: one view alone), `language`.
 * Events: `madang-groups` {groups} when somebody changed them, `madang-close` {tab}. CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { MadangElement } from "./element.js";
import { focused, type Group, groupOf, type Groups, moved, MOST_GROUPS, oneGroup, resized, shown } from "./groups.js";
import { icon, type IconName } from "./icons.js";
import "./madang-menu.js";
import type { MadangMenu, MenuItem } from "./madang-menu.js";
import { shared } from "./styles.js";
import { arrows } from "./tabs.js";
import { groupsStyle, tabsStyle } from "./tabs-style.js";

export interface TabLook {
  name: string;
  title?: string;
  icon?: IconName;
  /** It holds what is not saved. */
  changed?: boolean;
  /** It cannot be closed. */
  fixed?: boolean;
}

const DRAGGED = "application/x-madang-tab";

@customElement("madang-tabs")
export class MadangTabs extends MadangElement {
  static override styles = [shared, tabsStyle, groupsStyle];

  @property({ attribute: false }) groups: Groups = oneGroup();
  @property({ attribute: false }) describe: (tab: string) => TabLook = (tab) => ({ name: tab });
  @property({ attribute: false }) actions: (tab: string) => readonly MenuItem[] = () => [];
  @property({ type: Boolean, reflect: true }) bare = false;
  @state() private dragging = false;
  @state() private over = "";
  @query("madang-menu") private menu!: MadangMenu;

  protected override updated(changed: PropertyValues): void {
    if (changed.has("groups")) this.renderRoot.querySelectorAll(".tab.on").forEach((tab) => { tab.scrollIntoView({ block: "nearest", inline: "nearest" }); });
  }

  private change(groups: Groups): void {
    if (groups !== this.groups) this.emit("madang-groups", { groups });
  }

  /** Beside the tab it is in now, to the right. */
  split(tab: string): void {
    this.change(moved(this.groups, tab, this.groups.groups.length));
  }

  private close(tab: string): void {
    this.emit("madang-close", { tab });
  }

  private showMenu(tab: string, x: number, y: number): void {
    const { groups } = this;
    const at = groupOf(groups, tab);
    const last = groups.groups.length - 1;
    const alone = groups.groups[at]?.tabs.length === 1;
    const others = groups.groups[at]?.tabs.filter((one) => one !== tab && !this.describe(one).fixed) ?? [];
    void this.menu.show([
      ...this.actions(tab),
      { label: this.t("splitRight"), keys: "Ctrl+\\", disabled: alone || last + 1 >= MOST_GROUPS, run: () => { this.split(tab); } },
      ...(at > 0 ? [{ label: this.t("moveLeft"), run: () => { this.change(moved(groups, tab, at - 1)); } }] : []),
      ...(at < last ? [{ label: this.t("moveRight"), run: () => { this.change(moved(groups, tab, at + 1)); } }] : []),
      { label: this.t("closeOthers"), disabled: others.length === 0, run: () => { others.forEach((one) => { this.close(one); }); } },
      { label: this.t("close"), disabled: this.describe(tab).fixed ?? false, run: () => { this.close(tab); } },
    ], x, y);
  }

  private onDrop(event: DragEvent, to: number, index?: number): void {
    const tab = event.dataTransfer?.getData(DRAGGED) ?? "";
    event.preventDefault();
    event.stopPropagation();
    this.dragging = false;
    this.over = "";
    if (tab) this.change(moved(this.groups, tab, to, index));
  }

  private target(event: DragEvent, name: string): void {
    if (!event.dataTransfer?.types.includes(DRAGGED)) return;
    event.preventDefault();
    event.stopPropagation();
    this.over = name;
  }

  private onKey(event: KeyboardEvent, tab: string): void {
    const at = groupOf(this.groups, tab);
    const place = this.groups.groups[at]?.tabs.indexOf(tab) ?? 0;
    if (event.key === "Delete" && !this.describe(tab).fixed) this.close(tab);
    else if (event.altKey && event.shiftKey && event.key === "ArrowRight") this.change(moved(this.groups, tab, at, place + 2));
    else if (event.altKey && event.shiftKey && event.key === "ArrowLeft") this.change(moved(this.groups, tab, at, place - 1));
    else if (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) {
      const { left, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect();
      this.showMenu(tab, left, bottom);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  override render(): TemplateResult {
    const { groups, widths } = this.groups;
    const columns = widths.map((width) => `minmax(0, ${String(width)}fr)`).join(" 1px ");
    return html`<div class="groups ${this.dragging ? "dragging" : ""}" style="grid-template-columns:${columns}">
      ${groups.map((group, at) => html`${at ? this.separator(at - 1) : nothing}${this.group(group, at)}`)}</div><madang-menu language=${this.language}></madang-menu>`;
  }

  private group(group: Group, at: number): TemplateResult {
    const ids = group.tabs.map((_, place) => `tab-${String(at)}-${String(place)}`).join(" ");
    const label = group.active ? this.describe(group.active).name : "";
    return html`<section class="group ${at === this.groups.at ? "at" : ""}" @focusin=${() => { this.change(focused(this.groups, at)); }}>
      <div class="tabs" @keydown=${arrows} @dragover=${(event: DragEvent) => { this.target(event, `strip-${String(at)}`); }} @drop=${(event: DragEvent) => { this.onDrop(event, at); }}>
        <div role="tablist" aria-label=${groupsLabel(this, at)} aria-owns=${ids}></div>
        ${repeat(group.tabs, (tab) => tab, (tab, place) => this.tab(group, tab, at, place))}
        ${group.active ? html`<span class="space"></span><button class="icon quiet" aria-label=${this.t("tabActions")} title=${this.t("tabActions")} aria-haspopup="menu"
          @click=${(event: MouseEvent) => { const { left, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect(); this.showMenu(group.active, left, bottom); }}>${icon("dots")}</button>` : nothing}
      </div>
      <div class="view" role="tabpanel" aria-label=${label}>${group.active ? html`<slot name=${group.active}></slot>` : html`<slot></slot>`}
        ${this.dragging ? this.targets(at) : nothing}</div></section>`;
  }

  /** Where a dragged tab may be dropped: they lie over what the views show, which would take the drop itself. */
  private targets(at: number): TemplateResult {
    const beyond = this.groups.groups.length;
    const area = (name: string, to: number): TemplateResult => html`<div class="target ${name} ${this.over === `${name}-${String(at)}` ? "over" : ""}"
      @dragover=${(event: DragEvent) => { this.target(event, `${name}-${String(at)}`); }} @dragleave=${() => (this.over = "")} @drop=${(event: DragEvent) => { this.onDrop(event, to); }}></div>`;
    return html`${area("here", at)}${at === beyond - 1 && beyond < MOST_GROUPS ? area("beside", beyond) : nothing}`;
  }

  private tab(group: Group, tab: string, at: number, place: number): TemplateResult {
    const on = tab === group.active;
    const { name, title, icon: picture, changed, fixed } = this.describe(tab);
    return html`<div class="tab ${on ? "on" : ""} ${this.over === tab ? "over" : ""}" draggable="true"
        @dragstart=${(event: DragEvent) => { event.dataTransfer?.setData(DRAGGED, tab); setTimeout(() => (this.dragging = true)); }} @dragend=${() => { this.dragging = false; this.over = ""; }}
        @dragover=${(event: DragEvent) => { this.target(event, tab); }} @drop=${(event: DragEvent) => { this.onDrop(event, at, place); }}
        @contextmenu=${(event: MouseEvent) => { event.preventDefault(); this.showMenu(tab, event.clientX, event.clientY); }}>
      <button role="tab" id="tab-${at}-${place}" aria-selected=${on} tabindex=${on ? 0 : -1} title=${title ?? name} @keydown=${(event: KeyboardEvent) => { this.onKey(event, tab); }}
        @click=${() => { this.change(shown(this.groups, tab)); }} @auxclick=${(event: MouseEvent) => { if (event.button === 1 && !fixed) this.close(tab); }}>${picture ? icon(picture) : nothing}${name}${changed ? html`<span aria-label=${this.t("unsaved")}>•</span>` : nothing}</button>
      ${fixed ? nothing : html`<button class="x" tabindex=${on ? 0 : -1} aria-label=${this.t("closeTab", { name })} @click=${() => { this.close(tab); }}>${icon("close")}</button>`}</div>`;
  }

  private separator(at: number): TemplateResult {
    const by = (part: number): void => { this.change(resized(this.groups, at, part)); };
    const down = (event: PointerEvent): void => {
      const handle = event.currentTarget as HTMLElement;
      let from = event.clientX;
      handle.setPointerCapture(event.pointerId);
      const move = (now: PointerEvent): void => {
        by((now.clientX - from) / Math.max(this.clientWidth, 1));
        from = now.clientX;
      };
      handle.addEventListener("pointermove", move);
      handle.addEventListener("lostpointercapture", () => { handle.removeEventListener("pointermove", move); }, { once: true });
    };
    const key = (event: KeyboardEvent): void => {
      const step = { ArrowLeft: -0.03, ArrowRight: 0.03 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      by(step);
    };
    const whole = this.groups.widths.reduce((sum, width) => sum + width, 0);
    return html`<div class="separator" role="separator" tabindex="0" aria-orientation="vertical" aria-label=${this.t("resizePanel")}
      aria-valuenow=${Math.round((100 * (this.groups.widths[at] ?? 1)) / whole)} aria-valuemin="15" aria-valuemax="85" @pointerdown=${down} @keydown=${key}></div>`;
  }
}

function groupsLabel(tabs: MadangTabs, at: number): string {
  return tabs.groups.groups.length === 1 ? tabs.t("tabs") : tabs.t("tabsN", { n: at + 1 });
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-tabs": MadangTabs;
  }
}
