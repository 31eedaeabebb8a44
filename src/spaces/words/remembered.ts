/**
 * What was made of words, of so many at least and twice as many at the most. Two generations: what was used since the last
 * turn survives the next one.
 */
export class Remembered<Made> {
  private made = new Map<string, Made>();
  private older = new Map<string, Made>();

  constructor(
    private readonly kept: number,
    private readonly make: (word: string) => Made,
  ) {}

  of(word: string): Made {
    const known = this.made.get(word);
    if (known !== undefined) return known;
    const made = this.older.get(word) ?? this.make(word);
    if (this.made.size >= this.kept) {
      this.older = this.made;
      this.made = new Map();
    }
    this.made.set(word, made);
    return made;
  }
}
