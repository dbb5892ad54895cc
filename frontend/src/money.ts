/** Amounts of money as people read them. Pure. */
import type { Language } from "./i18n.js";

/** An amount in whole micro-units, millionths of the currency's unit (ISO 4217). */
export interface Money {
  currency: string;
  micros: number;
}

/** "$1.25", two digits finer than prices are told, and of very little the first two that tell something: "$0.00011". */
export function money({ currency, micros }: Money, language: Language): string {
  const style = { style: "currency", currency } as const;
  const usual = new Intl.NumberFormat(language, style).resolvedOptions().maximumFractionDigits ?? 2;
  const fine = { minimumFractionDigits: usual, maximumFractionDigits: usual + 2, maximumSignificantDigits: 2, roundingPriority: "morePrecision" } as const;
  return new Intl.NumberFormat(language, { ...style, ...fine }).format(micros / 1_000_000);
}
