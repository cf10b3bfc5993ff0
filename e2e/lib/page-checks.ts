// SPDX-License-Identifier: Apache-2.0
/** Expressions that a page evaluates about itself. */

/** Texts whose contrast is less than 4.5:1 (WCAG 2.2, 1.4.3). */
export const LIST_FAINT_TEXTS = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const backOf = (one) => {
    for (let at = one; at !== null; at = at.parentElement) {
      const back = parse(getComputedStyle(at).backgroundColor);
      if ((back[3] ?? 1) === 1) return back;
    }
    throw new Error('no background');
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (text.data.trim() === '' || text.parentElement.closest('script, [hidden]')) continue;
    const [a, b] = [parse(getComputedStyle(text.parentElement).color), backOf(text.parentElement)].map(luminance);
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(text.data.trim() + ': ' + contrast.toFixed(2));
  }
  return faint;
})()`;

const KEY_OF = `(one) => one.id || one.tagName + ' ' + one.textContent.trim().slice(0, 40)`;

/** Everything the Tab key has to reach, in order. */
export const LIST_FOCUSABLE = `[...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
  .filter((one) => one.checkVisibility()).map(${KEY_OF})`;

/** What has the focus, and whether somebody who looks sees that: an outline, on the screen, not covered. */
export const SHOWS_FOCUS = `(() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const inside = box.bottom > 0 && box.top < innerHeight && box.width > 1;
  return { key: (${KEY_OF})(one), shown: outlined && inside };
})()`;
