// SPDX-License-Identifier: Apache-2.0
/** Sizes and times. */
import { annotation } from "./spec.ts";
import { parseSeconds, parseSize } from "./values.ts";

export const LIMITS = {
  maxBody: annotation({
    name: "proxy-body-size",
    nginx: true,
    type: "bytes, or a number with k, m or g",
    doc: "larger requests get 413; 0 means no limit, which is also the default",
    onFault: "ignore",
    parse: parseSize,
  }),
  connectTimeout: annotation({
    name: "proxy-connect-timeout",
    nginx: true,
    type: "seconds from 1 to 3600",
    doc: "how long connecting to one endpoint may take (default 5)",
    onFault: "ignore",
    parse: parseSeconds(1, 3600),
  }),
  responseTimeout: annotation({
    name: "proxy-read-timeout",
    nginx: true,
    type: "seconds from 1 to 86400",
    doc: "how long a pod may be silent while it is to answer (default 60)",
    onFault: "ignore",
    parse: parseSeconds(1, 86_400),
  }),
};
