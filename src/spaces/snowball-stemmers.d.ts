/** The package brings no types of its own. */
declare module 'snowball-stemmers' {
  interface Stemmer {
    /** Lower-case word in, stem out. */
    stem(word: string): string;
  }
  export function newStemmer(language: 'english'): Stemmer;
}
