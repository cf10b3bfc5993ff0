// SPDX-License-Identifier: Apache-2.0
/** Strings that try to become something else than a string. Each one holds MARK, in some case. */

export const MARK = "h0stile";

export const HOSTILE: Readonly<Record<string, string>> = {
  plain: `${MARK} with spaces`,
  quotes: `"${MARK}'\`"`,
  newline: `x\n${MARK} y`,
  "carriage return": `x\r\n${MARK}`,
  "pem-file": `x"\npem-file = "/etc/${MARK}.pem"`,
  route: `a.example\nroute https * ${MARK}/web:80`,
  comment: `# ${MARK}`,
  braces: `}${MARK}{`,
  nul: `x\u0000${MARK}`,
  template: `{{${MARK}}}{{{this}}}{{#each x}}`,
  long: MARK.repeat(65536 / MARK.length),
  unicode: `${MARK}\u2028\u202eé漢😀`,
  "lone surrogate": `\ud800${MARK}`,
  path: `../../${MARK}/../etc/passwd`,
  "upper case": `${MARK.toUpperCase()}_`,
  separators: `${MARK}:80 ! %`,
  "escape sequence": `\u001b[31m${MARK}`,
  prototype: `__proto__${MARK}`,
};

/** Every copy of `value` that has one string, or one key, replaced; with the path of what was replaced. */
export function* replaceEachString(value: unknown, by: string): Generator<{ path: string; value: unknown }> {
  if (typeof value === "string") yield { path: "", value: by };
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      for (const changed of replaceEachString(item, by)) {
        yield { path: `[${i}]${changed.path}`, value: value.with(i, changed.value) };
      }
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const changed of replaceEachString(item, by)) {
        yield { path: `.${key}${changed.path}`, value: { ...value, [key]: changed.value } };
      }
      const { [key]: _removed, ...rest } = value as Record<string, unknown>;
      yield { path: `.(key ${key})`, value: { ...rest, [by]: item } };
    }
  }
}
