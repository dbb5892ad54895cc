/** Runs inside the sandboxed frame of a Plotly figure. The strict build needs no `eval`, which the frame has not. */
import Plotly from "plotly.js-strict-dist-min";
import { drawCharts } from "./chart-frame.js";
import { themed } from "./plotly-theme.js";

const HEIGHT = 450;

interface Figure {
  data?: unknown[];
  layout?: Record<string, unknown>;
  config?: Record<string, unknown>;
  frames?: unknown[];
}

// Nothing that leads to a service elsewhere, and no button for a picture: a frame may not download.
const CONFIG = { responsive: true, displaylogo: false, showLink: false, showSendToCloud: false, showEditInChartStudio: false, modeBarButtonsToRemove: ["toImage"] };

drawCharts(async (place, { spec, dark, colours }) => {
  const { data = [], layout = {}, config = {}, frames = [] } = spec as Figure;
  const height = typeof layout.height === "number" ? layout.height : HEIGHT;
  place.style.height = `${String(height)}px`;
  await Plotly.react(place, { data, layout: dark ? themed(layout, colours) : layout, config: { ...config, ...CONFIG }, frames });
});
