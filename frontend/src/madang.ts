/** The entry of the workspace page. What it does not need at first is loaded when it does. */
import "./madang-workspace.js";
