// SPDX-License-Identifier: Apache-2.0

/** Controls, and what changes the direction of text or takes no room: they would show something else than what is there. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\ud800-\udfff]/gu;

/** With `lines`, line breaks and tabs stay. */
export function visible(text: string, lines = false): string {
  return text.replace(UNSEEN, (character) => {
    if (lines && (character === "\n" || character === "\t")) return character;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
