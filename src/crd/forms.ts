// SPDX-License-Identifier: Apache-2.0
/** Forms of text that several resources have. They say what src/model/names.ts and its like check, in the API server's words. */
import type { TextForm } from "./schema.ts";

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

export const SERVICE_NAME: TextForm = {
  pattern: `^${LABEL}$`,
  max: 63,
  message: "must be the name of a Service: lower case letters, digits and dashes",
};

export const NAMESPACE: TextForm = {
  pattern: `^${LABEL}$`,
  max: 63,
  message: "must be a namespace: lower case letters, digits and dashes",
};

export const OBJECT_NAME: TextForm = {
  pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
  max: 253,
  message: "must be the name of an object: lower case letters, digits, dashes and dots",
};

export const HOST: TextForm = {
  pattern: `^([*][.])?${LABEL}([.]${LABEL})*$`,
  max: 253,
  message: "must be a host name such as www.example.com or *.example.com, in lower case and without a port",
};

export const PLAIN_HOST: TextForm = {
  pattern: `^${LABEL}([.]${LABEL})*$`,
  max: 253,
  message: "must be a host name such as www.example.com, in lower case and without a port",
};

export const PORT_NAME: TextForm = {
  pattern: "^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$",
  max: 15,
  message: "must be a port from 1 to 65535 or the name of a port of the Service",
};

export const PORT = { min: 1, max: 65_535 };

export const URL_PATH: TextForm = {
  pattern: "^/([A-Za-z0-9._~!$&()*+,;=:@/-]|%[0-9A-Fa-f][0-9A-Fa-f])*$",
  max: 1024,
  message: "must be an absolute URL path such as /healthz, without blanks, query and fragment",
};

export const ADDRESS_RANGE: TextForm = {
  // Which numbers are in range is for the model to say: a rule that did would cost too much.
  pattern: "^([0-9]{1,3}([.][0-9]{1,3}){3}(/[0-9]{1,2})?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/[0-9]{1,3})?)$",
  max: 49,
  message: "must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32",
};
