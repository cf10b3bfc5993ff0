// SPDX-License-Identifier: Apache-2.0
/** Which endpoints are given up for a while. */
import { isHost } from "../names.ts";
import { isUrlPath } from "../url-path.ts";
import { annotation } from "./spec.ts";
import { accept, parseInteger, parseSeconds, parseWord, refuse } from "./values.ts";

const MAX_CHECK_PATH = 1024;

export const HEALTH = {
  maxFails: annotation({
    name: "max-fails",
    nginx: false,
    scope: "backend",
    type: "whole number from 0 to 1000",
    doc: "so many failed connects in a row take an endpoint out for a while; 0 means never (default 3)",
    onFault: "ignore",
    parse: parseInteger(0, 1000),
  }),
  failTimeout: annotation({
    name: "fail-timeout",
    nginx: false,
    scope: "backend",
    type: "seconds from 1 to 3600",
    doc: "for how long the first time; each further time in a row adds as much (default 2)",
    onFault: "ignore",
    parse: parseSeconds(1, 3600),
  }),
  failTimeoutMax: annotation({
    name: "fail-timeout-max",
    nginx: false,
    scope: "backend",
    type: "seconds from 1 to 86400",
    doc: "and for how long at most (default 60)",
    onFault: "ignore",
    parse: parseSeconds(1, 86_400),
  }),
  check: annotation({
    name: "health-check",
    nginx: false,
    scope: "backend",
    type: "tcp, http or none",
    doc: "ask the endpoints regularly: by a connect, or by a GET that has to be answered with 2xx or 3xx (default none)",
    onFault: "ignore",
    parse: parseWord("tcp", "http", "none"),
  }),
  checkPath: annotation<string>({
    name: "health-check-path",
    alias: "health-check-uri",
    nginx: false,
    scope: "backend",
    type: "absolute path without comma",
    doc: "what `health-check: http` asks for, which is meant where only this is given (default /)",
    onFault: "ignore",
    parse: (text) => {
      if (!isUrlPath(text) || text.length > MAX_CHECK_PATH) return refuse("is no absolute URL path");
      return text.includes(",") ? refuse("has a comma; write %2C") : accept(text);
    },
  }),
  checkHost: annotation<string>({
    name: "health-check-host",
    nginx: false,
    scope: "backend",
    type: "host name",
    doc: "Host of these requests (default: the endpoint's address)",
    onFault: "ignore",
    parse: (text) => {
      const host = text.toLowerCase();
      return isHost(host) && !host.startsWith("*") ? accept(host) : refuse("is no host name");
    },
  }),
  checkInterval: annotation({
    name: "health-check-interval",
    nginx: false,
    scope: "backend",
    type: "seconds from 1 to 3600",
    doc: "time between two checks of one endpoint (default 5)",
    onFault: "ignore",
    parse: parseSeconds(1, 3600),
  }),
  checkTimeout: annotation({
    name: "health-check-timeout",
    nginx: false,
    scope: "backend",
    type: "seconds from 1 to 3600",
    doc: "how long a check may take (default 2)",
    onFault: "ignore",
    parse: parseSeconds(1, 3600),
  }),
  checkRise: annotation({
    name: "health-check-rise",
    alias: "health-check-rise-count",
    nginx: false,
    scope: "backend",
    type: "whole number from 1 to 100",
    doc: "good answers in a row that bring an endpoint back (default 2)",
    onFault: "ignore",
    parse: parseInteger(1, 100),
  }),
  checkFall: annotation({
    name: "health-check-fall",
    alias: "health-check-fall-count",
    nginx: false,
    scope: "backend",
    type: "whole number from 1 to 100",
    doc: "bad answers in a row that take an endpoint out (default 3)",
    onFault: "ignore",
    parse: parseInteger(1, 100),
  }),
};
