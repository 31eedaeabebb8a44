/**
 * Languages of the Latin script whose words are stemmed, beside English. Each as its ISO 639-1 code, the stemmer's name
 * (Snowball; Polish has one here), the names that a caller may have for it, and the letters that English has not.
 */
export const LANGUAGES = {
  de: { stemmer: 'german', names: ['german', 'deutsch', 'ger', 'deu'], letters: 'äöüß' },
  fr: { stemmer: 'french', names: ['french', 'français', 'fre', 'fra'], letters: 'àâçèéêëîïôùûœ' },
  es: { stemmer: 'spanish', names: ['spanish', 'español', 'castellano', 'spa'], letters: 'áéíñóúü' },
  it: { stemmer: 'italian', names: ['italian', 'italiano', 'ita'], letters: 'àèéìòù' },
  pt: { stemmer: 'portuguese', names: ['portuguese', 'português', 'por'], letters: 'áâãàçéêíóôõú' },
  nl: { stemmer: 'dutch', names: ['dutch', 'nederlands', 'nld', 'dut'], letters: 'ëï' },
  sv: { stemmer: 'swedish', names: ['swedish', 'svenska', 'swe'], letters: 'åäö' },
  da: { stemmer: 'danish', names: ['danish', 'dansk', 'dan'], letters: 'åæø' },
  no: {
    stemmer: 'norwegian',
    names: ['norwegian', 'norsk', 'bokmål', 'nb', 'nn', 'nor', 'nob'],
    letters: 'åæø',
  },
  fi: { stemmer: 'finnish', names: ['finnish', 'suomi', 'fin'], letters: 'äö' },
  tr: { stemmer: 'turkish', names: ['turkish', 'türkçe', 'tur'], letters: 'çğıöşü' },
  pl: { stemmer: 'polish', names: ['polish', 'polski', 'pol'], letters: 'ąćęłńóśźż' },
  cs: { stemmer: 'czech', names: ['czech', 'čeština', 'cze', 'ces'], letters: 'áčďéěíňóřšťúůýž' },
  hu: { stemmer: 'hungarian', names: ['hungarian', 'magyar', 'hun'], letters: 'áéíóöőúüű' },
  ro: { stemmer: 'romanian', names: ['romanian', 'română', 'rum', 'ron'], letters: 'ăâîșțşţ' },
} as const;

export type Language = keyof typeof LANGUAGES;
export const LANGUAGE_CODES = Object.keys(LANGUAGES) as Language[];

const ENGLISH = ['en', 'english', 'eng'];

/**
 * The language that a caller names, by code (`de`, `de-AT`) or by name ('German', 'Deutsch'). Null: it is none of those
 * whose words are told apart here, such as a programming language.
 */
export function languageNamed(hint: string): Language | 'en' | null {
  const name = hint.trim().toLowerCase();
  const [code = ''] = name.split(/[-_]/);
  if (ENGLISH.includes(name) || ENGLISH.includes(code)) return 'en';
  for (const language of LANGUAGE_CODES) {
    const { names } = LANGUAGES[language];
    if (code === language || [name, code].some((word) => (names as readonly string[]).includes(word))) {
      return language;
    }
  }
  return null;
}
