// SPDX-License-Identifier: Apache-2.0
/** Who may ask, and how much at a time. */
import { annotation } from "./spec.ts";
import { parseInteger, parseRanges } from "./values.ts";

export const ACCESS = {
  allow: annotation({
    name: "allowlist-source-range",
    alias: "whitelist-source-range",
    nginx: true,
    type: "addresses and ranges, separated by commas",
    doc: "clients from elsewhere get 403",
    onFault: "close",
    parse: parseRanges,
  }),
  deny: annotation({
    name: "denylist-source-range",
    nginx: true,
    type: "addresses and ranges, separated by commas",
    doc: "clients from there get 403",
    onFault: "close",
    parse: parseRanges,
  }),
  limitConnections: annotation({
    name: "limit-connections",
    nginx: true,
    type: "whole number from 0 to 1000000",
    doc: "requests at a time from one client address, for each rule; in the TCP lane connections, for the host; 0 means no limit",
    onFault: "ignore",
    parse: parseInteger(0, 1_000_000),
  }),
};
