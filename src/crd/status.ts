// SPDX-License-Identifier: Apache-2.0
/** Conditions, the same for all our resources. */
import { fields, integer, type JsonSchema, list, text, word } from "./schema.ts";

export const CONDITION_TYPES = ["Accepted", "Conflicted", "Programmed"] as const;
/**
 * `Accepted`: it is well-formed, and what it refers to is there. `Conflicted`: an older one says (part of) the same. `Programmed`: what
 * is rendered for Hitch and Balance holds it.
 */
export type ConditionType = (typeof CONDITION_TYPES)[number];
export type ConditionStatus = "True" | "False" | "Unknown";

const condition = fields(
  {
    type: text(
      { pattern: "^[A-Z][A-Za-z]*$", max: 64, message: "must be a word in CamelCase" },
      { doc: `Kind of condition: ${CONDITION_TYPES.join(", ")}.` },
    ),
    status: word(["True", "False", "Unknown"], { doc: "Whether it holds." }),
    reason: text(
      { pattern: "^[A-Z][A-Za-z0-9]*$", max: 128, message: "must be a word in CamelCase" },
      { doc: "Why, in one word for programs." },
    ),
    message: plain(4096, "Why, in a sentence for people."),
    observedGeneration: integer(
      { min: 0, max: Number.MAX_SAFE_INTEGER },
      { doc: "Generation that was looked at." },
    ),
    lastTransitionTime: time("When the status last changed."),
  },
  { doc: "What became of it, in one respect.", required: ["type", "status", "reason", "lastTransitionTime"] },
);

const conditions = list(condition, { doc: "What became of it.", max: 8 }).json;

export const STATUS: JsonSchema = {
  type: "object",
  description: "What became of it; written by Evener.",
  properties: {
    conditions: {
      ...conditions,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
    },
  },
};

function plain(maxLength: number, description: string) {
  return { json: { type: "string", description, maxLength } as JsonSchema };
}

function time(description: string) {
  return { json: { type: "string", description, format: "date-time" } as JsonSchema };
}
