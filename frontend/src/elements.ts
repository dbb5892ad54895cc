/** The elements that pages may place by themselves (docs/developers/elements.md), all in one module. */
import "./madang-console.js";
import "./madang-editor.js";
import "./madang-files.js";
import "./madang-output.js";
import "./madang-ports.js";
import "./madang-search.js";
import "./madang-terminal.js";
import "./madang-terminals.js";
import "./madang-trash.js";
import "./madang-usage.js";
import "./notebook/madang-notebook.js";
