// SPDX-License-Identifier: Apache-2.0
/** What the pod gets to see instead of the client's path. */
import { annotation } from "./spec.ts";
import { parsePath } from "./values.ts";

export const REWRITES = {
  rewriteTarget: annotation({
    name: "rewrite-target",
    nginx: true,
    type: "absolute path",
    doc: "takes the place of the path that matched; what follows a prefix stays",
    onFault: "refuse",
    parse: parsePath,
  }),
};
