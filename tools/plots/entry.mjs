// What the page needs of Vega: no maps, trees, forces, Voronoi cells or word clouds.
import {transforms} from "vega-dataflow";
import * as encode from "vega-encode";
import {expressionInterpreter} from "vega-interpreter";
import {compile} from "vega-lite";
import {parse} from "vega-parser";
import * as data from "vega-transforms";
import {extend} from "vega-util";
import {View} from "vega-view";
import * as views from "vega-view-transforms";

extend(transforms, data, views, encode);
globalThis.vegaForPlots = {View, compile, expressionInterpreter, parse};
