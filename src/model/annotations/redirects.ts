// SPDX-License-Identifier: Apache-2.0
/** Answers that lead elsewhere. */
import type { RedirectCode } from "../types.ts";
import { annotation, type Parsed } from "./spec.ts";
import { accept, parseBoolean, parseLocation, refuse } from "./values.ts";

const CODES: readonly RedirectCode[] = [301, 302, 303, 307, 308];

function parseCode(text: string): Parsed<RedirectCode> {
  const code = CODES.find((one) => String(one) === text);
  return code === undefined ? refuse(`is none of ${CODES.join(", ")}`) : accept(code);
}

export const REDIRECTS = {
  sslRedirect: annotation({
    name: "ssl-redirect",
    nginx: true,
    type: "true or false",
    doc: "plain requests for hosts with a certificate get 308 to https (default true)",
    onFault: "ignore",
    parse: parseBoolean,
  }),
  forceSslRedirect: annotation({
    name: "force-ssl-redirect",
    nginx: true,
    type: "true or false",
    doc: "plain requests get 308 to https, also for hosts without a certificate of their own (default false)",
    onFault: "ignore",
    parse: parseBoolean,
  }),
  permanentRedirect: annotation({
    name: "permanent-redirect",
    nginx: true,
    type: "http or https URL, or absolute path",
    doc: "every request gets 301 to this place",
    onFault: "refuse",
    parse: parseLocation,
  }),
  permanentRedirectCode: annotation({
    name: "permanent-redirect-code",
    nginx: true,
    type: "301, 302, 303, 307 or 308",
    doc: "another status for permanent-redirect",
    onFault: "ignore",
    parse: parseCode,
  }),
  temporalRedirect: annotation({
    name: "temporal-redirect",
    nginx: true,
    type: "http or https URL, or absolute path",
    doc: "every request gets 302 to this place; wins over permanent-redirect",
    onFault: "refuse",
    parse: parseLocation,
  }),
  temporalRedirectCode: annotation({
    name: "temporal-redirect-code",
    nginx: true,
    type: "301, 302, 303, 307 or 308",
    doc: "another status for temporal-redirect",
    onFault: "ignore",
    parse: parseCode,
  }),
  appRoot: annotation<string>({
    name: "app-root",
    nginx: true,
    type: "absolute path",
    doc: "requests for exactly / get 302 to this path",
    onFault: "ignore",
    parse: (text) => {
      const location = parseLocation(text);
      if (!location.ok) return location;
      if (!text.startsWith("/")) return refuse("is no absolute path");
      return /^\/(?:[?#]|$)/.test(text) ? refuse("would lead in a circle") : location;
    },
  }),
};
