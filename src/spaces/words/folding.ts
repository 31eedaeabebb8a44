const NOT_ASCII = /[^\x00-\x7f]/;

/** Latin and Greek letters without their accents, lower case in and out: `über` is uber, `straße` strasse, `łódź` lodz. */
export function folded(word: string): string {
  if (!NOT_ASCII.test(word)) return word;
  return word
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l')
    .replaceAll('ı', 'i')
    .replaceAll('æ', 'ae')
    .replaceAll('œ', 'oe');
}

/** Vowel signs and the stretching stroke are optional in writing, and so are the forms of alef, yeh and teh. */
export function foldedArabic(run: string): string {
  return foldedDigits(
    run
      .replace(/[\u064b-\u065f\u0670\u0640']/g, '')
      .replace(/[أإآٱ]/g, 'ا')
      .replaceAll('ى', 'ي')
      .replaceAll('ة', 'ه'),
  );
}

/** Arabic-Indic, Persian and Devanagari digits count as the digits they are. */
export function foldedDigits(run: string): string {
  return run.replace(/[٠-٩۰-۹०-९]/g, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (code >= 0x966 ? 0x966 : code >= 0x6f0 ? 0x6f0 : 0x660));
  });
}
