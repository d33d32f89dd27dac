import { render } from "preact";
import { App } from "./app.js";
import { followAddress } from "./history.js";
import { onKey } from "./keys.js";
import { load } from "./load.js";
import { watchFilter } from "./matches.js";
import { watchFocus } from "./panels/span.js";
import { followSystem } from "./theme.js";
import "uplot/dist/uPlot.min.css";
import "./style.css";

followSystem();
followAddress();
watchFilter();
watchFocus();
addEventListener("keydown", onKey);
render(<App />, document.getElementById("app")!);
void load();
