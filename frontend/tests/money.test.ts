import assert from "node:assert/strict";
import { test } from "node:test";
import { money } from "../src/money.js";

test("money for people: two digits finer than prices, and never nothing where there is something", () => {
  const shown = (currency: string, ...micros: number[]): string[] => micros.map((amount) => money({ currency, micros: amount }, "en"));
  assert.deepEqual(shown("USD", 0, 40_000, 12_345, 1_234_500_000, 114, 1), ["$0.00", "$0.04", "$0.0123", "$1,234.50", "$0.00011", "$0.000001"]);
  assert.deepEqual(shown("KRW", 0, 40_000, 12_345, 1_234_500_000), ["₩0", "₩0.04", "₩0.012", "₩1,234.5"]);
  assert.equal(money({ currency: "USD", micros: 40_000 }, "ko"), "US$0.04");
});
