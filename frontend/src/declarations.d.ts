// Text of a style sheet, for a shadow root.
declare module "*.css" {
  const text: string;
  export default text;
}

// It brings no types of its own; this is what is used of it.
declare module "plotly.js-strict-dist-min" {
  const Plotly: { react: (place: HTMLElement, figure: { data: unknown[]; layout: object; config: object; frames: unknown[] }) => Promise<unknown> };
  export default Plotly;
}
