import { datesIn } from '../../src/modules/enrichment/reading/dates.js';
import { entitiesIn } from '../../src/modules/enrichment/reading/entities.js';
import { summaryOf } from '../../src/modules/enrichment/reading/summary.js';
import { toolsIn } from '../../src/modules/enrichment/reading/tool-names.js';
import { slugOf } from '../../src/modules/enrichment/entity-kinds.js';

/** A Friday. */
const SAID = new Date('2023-06-09T12:00:00Z');
const read = (text: string) =>
  entitiesIn(text, SAID)
    .map(({ kind, name }) => `${kind}: ${name}`)
    .sort();

describe('reading a text', () => {
  it('finds people, places, organizations, dates and tools', () => {
    expect(
      read('I talked with Dr. Sarah Connor from Cyberdyne Systems Inc. on 12 May 2023 about San Francisco.'),
    ).toEqual([
      'dates: 2023-05-12',
      'organizations: Cyberdyne Systems Inc',
      'people: Sarah Connor',
      'places: San Francisco',
    ]);
    expect(read('Remember: Maria prefers VS Code over Vim, and uses TypeScript with NestJS.')).toEqual([
      'people: Maria',
      'tools: NestJS',
      'tools: TypeScript',
      'tools: VS Code',
      'tools: Vim',
    ]);
  });

  it('takes a name without what surrounds it', () => {
    expect(read("Hey Maria, we saw Melanie's kids in New York City, USA!")).toEqual([
      'people: Maria',
      'people: Melanie',
      'places: New York City',
      'places: USA',
    ]);
  });

  it('names nobody where nobody is named', () => {
    expect(read('Wow, thanks! That was so much fun, I hope you had a great time too.')).toEqual([]);
    expect(read('')).toEqual([]);
    expect(read('これは東京についての話です。')).toEqual([]);
    expect(read('{"a": [1, 2, 3]} \u0000 <script>')).toEqual([]);
  });

  it('reads the longest text that may be stored in bounded time, and names no more than 32', () => {
    const names = Array.from({ length: 400 }, (_, at) => `Tool${String.fromCharCode(65 + (at % 26))}${at}`);
    const entities = entitiesIn(names.join(' and ').padEnd(65_536, ' Anna met John in Paris.'), SAID);
    expect(entities).toHaveLength(32);
  });

  it.each([
    ['on 2023-05-12 and May 3rd, 2022', ['2023-05-12', '2022-05-03']],
    ['the 1st of March 2024', ['2024-03-01']],
    ['in March 2024, or 2021-07', ['2024-03', '2021-07']],
    ['since 2019', ['2019']],
    ['yesterday, and last Friday, and next month', ['2023-06-08', '2023-06-02', '2023-07']],
    ['February 30, 2023', []],
    ['it may rain, and 12 monkeys march', []],
  ])('reads the dates in %p', (text, dates) => {
    expect(datesIn(text, SAID).sort()).toEqual([...dates].sort());
  });

  it('tells tools from words and from names', () => {
    expect(toolsIn('We reacted with React, in vue.js and PostgreSQL; McDonald and LGBTQ are none.')).toEqual([
      'React',
      'vue.js',
      'PostgreSQL',
    ]);
  });

  it('sums a long text up in its own sentences, in their order, and a short one not at all', () => {
    expect(summaryOf('Short enough.')).toBeNull();
    const text = `The bridge over the river was closed. ${'The repairs of the bridge take long. Birds sing. '.repeat(20)}`;
    const summary = summaryOf(text) ?? '';
    expect(summary.length).toBeGreaterThan(50);
    expect(summary.length).toBeLessThanOrEqual(300);
    expect(summary.startsWith('The bridge over the river was closed.')).toBe(true);
    expect(summaryOf('x'.repeat(5_000))?.length).toBe(300);
  });

  it.each([
    ['Zoë O’Hara', 'zoe-o-hara'],
    ['C++', 'c++'],
    ['  St. John’s  ', 'st-john-s'],
    ['東京', '東京'],
    ['!!!', ''],
  ])('makes the slug of %p', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });
});
