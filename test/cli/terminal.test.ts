import { expect, test } from "vitest";
import { TerminalFilter, visible } from "../../src/cli/terminal.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");

/** What reaches the terminal of text that arrives in these pieces. */
function filtered(...chunks: Uint8Array[]): string {
  const filter = new TerminalFilter();
  return chunks.map((chunk) => filter.push(chunk)).join("") + filter.end();
}

test("ordinary text, line ends and tabs pass", () => {
  expect(filtered(bytes("naïve\t✓ 漢字\r\n"))).toBe("naïve\t✓ 漢字\r\n");
  expect(visible("one\n\ttwo")).toBe("one\n\ttwo");
});

test.each([
  ["a window title", "\u001b]0;owned\u0007", "␛]0;owned␇"],
  ["a write to the clipboard", "\u001b]52;c;cm0gLXJm\u001b\\", "␛]52;c;cm0gLXJm␛\\"],
  ["a question that the terminal answers into the shell", "\u001b[6n\u0005", "␛[6n␅"],
  ["a device control string", "\u001bP+q\u001b\\", "␛P+q␛\\"],
  ["a cleared screen", "\u001b[2J\u001b[H", "␛[2J␛[H"],
  ["a one-character control sequence introducer", "\u009b2J", "\\u{9b}2J"],
  ["a deletion and a bell", "abc\b\b\u007f\u0007", "abc␈␈␡␇"],
  ["a colour with something in it", "\u001b[31\u001b[6nm", "␛[31␛[6nm"],
])("%s is shown, not sent", (_, sent, shown) => {
  expect(filtered(bytes(sent))).toBe(shown);
  expect(visible(sent)).toBe(shown);
});

test("colours pass in output, and end with it", () => {
  expect(filtered(bytes("\u001b[1;31mred"))).toBe("\u001b[1;31mred\u001b[0m");
});

test("colours do not pass in a line of scriptcell's own", () => {
  expect(visible("\u001b[32mok\u001b[0m")).toBe("␛[32mok␛[0m");
});

test("characters and colours may be cut anywhere between chunks", () => {
  const whole = bytes("é\u001b[38;5;196m漢\u001b[0m\u001b]0;x\u0007");
  const pieces = Array.from(whole, (byte) => Uint8Array.of(byte));
  expect(filtered(...pieces)).toBe(filtered(whole));
  expect(filtered(whole)).toBe("é\u001b[38;5;196m漢\u001b[0m␛]0;x␇\u001b[0m");
});

test("what is held back at the end is shown, and is never much", () => {
  expect(filtered(bytes("x\u001b"))).toBe("x␛");
  expect(filtered(bytes("x\u001b[31"))).toBe("x␛[31");
  const filter = new TerminalFilter();
  expect(filter.push(bytes(`\u001b[${"1".repeat(1_000)}`))).toHaveLength(1_002);
});

test("bytes that are no text become the replacement character", () => {
  expect(filtered(Uint8Array.of(0x61, 0xff, 0x9b, 0x62))).toBe("a\ufffd\ufffdb");
});
