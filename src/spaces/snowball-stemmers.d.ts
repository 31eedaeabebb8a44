/** The package brings no types of its own. */
declare module 'snowball-stemmers' {
  interface Stemmer {
    /** Lower-case word in, stem out. */
    stem(word: string): string;
  }
  /** The language's name in English, in lower case. */
  export function newStemmer(language: string): Stemmer;
}
