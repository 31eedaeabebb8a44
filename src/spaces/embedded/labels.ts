/** One text column of a workspace, held as a number for each place: equal texts have equal numbers, 0 is none. */
export class Labels {
  private readonly numbers = new Map<string, number>();
  private readonly texts: string[] = [];
  private column = new Uint32Array(64);

  set(place: number, label: string | null): void {
    if (place >= this.column.length) {
      const bigger = new Uint32Array(Math.max(place + 1, this.column.length * 2));
      bigger.set(this.column);
      this.column = bigger;
    }
    this.column[place] = label === null ? 0 : this.numberOf(label);
  }

  of(place: number): string | null {
    return this.texts[(this.column[place] as number) - 1] ?? null;
  }

  /** The labels that a place in the mask bears, at most so many. */
  carried(mask: Uint8Array, limit: number): string[] {
    const found = new Set<number>();
    const most = Math.min(limit, this.texts.length);
    for (let place = 0; place < this.column.length && found.size < most; place++) {
      const number = this.column[place] as number;
      if (number !== 0 && mask[place] === 1) found.add(number);
    }
    return Array.from(found, (number) => this.texts[number - 1] as string);
  }

  /** Takes out of the mask what carries none of the labels. */
  keepOnly(labels: readonly string[], mask: Uint8Array): void {
    const wanted = new Uint8Array(this.numbers.size + 1);
    for (const label of labels) {
      const number = this.numbers.get(label);
      if (number !== undefined) wanted[number] = 1;
    }
    for (let place = 0; place < mask.length; place++) {
      if (wanted[this.column[place] as number] !== 1) mask[place] = 0;
    }
  }

  private numberOf(label: string): number {
    let number = this.numbers.get(label);
    if (number === undefined) {
      number = this.numbers.size + 1;
      this.numbers.set(label, number);
      this.texts.push(label);
    }
    return number;
  }
}
