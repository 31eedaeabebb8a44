import { partsOfQuestion } from '../../src/modules/memory/question-parts.js';

describe('the parts of a question', () => {
  it.each<[string, string[]]>([
    ['Where is the key? Who has the car?', ['Where is the key?', 'Who has the car?']],
    ['What did Ada paint, and where did she travel?', ['What did Ada paint?', 'where did Ada travel?']],
    ['When was the gate mended and who painted it?', ['When was the gate mended?', 'who painted it?']],
    ['Who taught Ada? Who bought her house?', ['Who taught Ada?', "Who bought Ada's house?"]],
    [
      'Who met Ada and Grace, and where did they stay?',
      ['Who met Ada and Grace?', 'where did Ada and Grace stay?'],
    ],
    ['Wann kommt Anna und wo wohnt Peter?', ['Wann kommt Anna?', 'wo wohnt Peter?']],
    ['Où est la clé et qui a la voiture ?', ['Où est la clé?', 'qui a la voiture ?']],
    ['find the budget; list the risks', ['find the budget;', 'list the risks']],
  ])('of %j, which asks several, are asked for themselves', (wording, parts) => {
    expect(partsOfQuestion(wording)).toEqual(parts);
  });

  it.each<[string, string[]]>([
    ['What do Ada and Grace like?', ['What do Ada like?', 'What do Grace like?']],
    ['Did Ada Lovelace or Alan Turing swim?', ['Did Ada Lovelace swim?', 'Did Alan Turing swim?']],
    [
      'the weather of Porto, Lisbon and Madrid',
      ['the weather of Porto', 'the weather of Lisbon', 'the weather of Madrid'],
    ],
  ])('of %j, which asks of several, ask of each', (wording, parts) => {
    expect(partsOfQuestion(wording)).toEqual(parts);
  });

  it.each([
    'Where is the key?',
    'What did she say about bread and butter?',
    'Ada likes tea. And?',
    '',
    '?? !! …',
    'a. b. c. d. e. f. g. h.',
    `Who? ${'What is it? '.repeat(400)}`,
    `Where is the key?${' '.repeat(1_000)}Who has the car?`,
    // Each `she` would be all of the names.
    `Who is ${'Ada '.repeat(60)}and when did ${'she '.repeat(60)}leave?`,
  ])('are none of %j, which asks one thing or is no question', (wording) => {
    expect(partsOfQuestion(wording)).toEqual([]);
  });

  it.each(['Ada, ', 'Ada and ', ' and ', 'A ', '? ', 'and who '])(
    'are few, however often it says %j',
    (odd) => {
      expect(partsOfQuestion(odd.repeat(Math.floor(8_192 / odd.length))).length).toBeLessThanOrEqual(4);
    },
  );
});
