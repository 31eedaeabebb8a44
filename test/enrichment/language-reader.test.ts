import { Logger } from '@nestjs/common';
import { ChatUnavailable } from '../../src/models/models.errors.js';
import { OpenAiChatModel } from '../../src/models/openai/openai-chat-model.js';
import { LanguageReader, type Told } from '../../src/modules/enrichment/language/language-reader.js';
import { ChatServer, reading, type SeenQuestion } from '../models/chat-server.js';

interface Sent {
  key: string;
  text: string;
}

describe('a language model reads', () => {
  let server: ChatServer;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await ChatServer.start();
  });
  beforeEach(() => server.reset());
  afterAll(async () => {
    Logger.overrideLogger(true);
    await server.stop();
  });

  const reader = new LanguageReader();
  const model = () =>
    new OpenAiChatModel({
      baseUrl: server.baseUrl,
      apiKey: 'sk',
      model: 'some-model',
      closing: new AbortController().signal,
    });
  const texts = (count: number, length = 0) =>
    Array.from({ length: count }, (_, n) => ({
      text: `Zsofia came ${n} times.`.padEnd(length, ' so'),
      said: 0,
    }));
  const sent = ({ material }: SeenQuestion) =>
    (JSON.parse(material) as { texts: Sent[] }).texts.filter(({ text }) => text.startsWith('Zsofia'));

  const entitiesOf = (told: Told | undefined) => {
    if (told === undefined || told === null || told === 'unasked') throw new Error('It was not read');
    return told.entities;
  };

  it('several texts at once, as many as a question holds, and answers in their order', async () => {
    const asked = texts(20).map((text, n) => ({
      ...text,
      text: `${text.text} ${n === 7 ? 'Ottilie Brandt' : ''}`,
    }));
    const { readings, tokens } = await reader.read(model(), asked);
    expect(server.seen.map((question) => sent(question).length)).toEqual([8, 8, 4]);
    expect(tokens).toEqual({ input: 300, output: 30 });
    expect(
      readings.map((each) =>
        entitiesOf(each)
          .map(({ name }) => name)
          .join(),
      ),
    ).toEqual(asked.map((_, n) => (n === 7 ? 'Ottilie Brandt,Zsofia' : 'Zsofia')));
    server.reset();
    await reader.read(model(), texts(4, 15_000));
    expect(server.seen.map((question) => sent(question).length)).toEqual([1, 1, 1, 1]);
    server.reset();
    await reader.read(model(), texts(1, 60_000));
    expect(server.seen.map((question) => sent(question)[0]?.text.length)).toEqual([16_000]);
  });

  it('alone what it has left out, or answered twice', async () => {
    server.mind = (question) => {
      const { readings } = reading(question) as { readings: Sent[] };
      const keys = sent(question).map(({ key }) => key);
      if (keys.length === 1) return { readings };
      const [first, second] = keys;
      const twice = readings.filter(({ key }) => key === second);
      return { readings: [...readings.filter(({ key }) => key !== first), ...twice] };
    };
    const { readings } = await reader.read(model(), texts(4));
    expect(readings.map((each) => entitiesOf(each).length)).toEqual([1, 1, 1, 1]);
    expect(server.seen.map((question) => sent(question).length)).toEqual([4, 1, 1]);
  });

  it('what it refuses in halves, until it is clear which one is to blame', async () => {
    server.refuses = ({ material }) => (material.includes('came 5 times') ? { message: 'not that' } : null);
    const { readings } = await reader.read(model(), texts(8));
    expect(readings.map((each) => each !== null && each !== 'unasked')).toEqual(
      Array.from({ length: 8 }, (_, n) => n !== 5),
    );
  });

  it('no more when it has taken too long', async () => {
    const { readings } = await reader.read(model(), texts(3), 0);
    expect([readings, server.seen]).toEqual([['unasked', 'unasked', 'unasked'], []]);
  });

  it('nothing where it is away, and somebody hears of it', async () => {
    server.faults.push({ kind: 'status', status: 401 });
    await expect(reader.read(model(), texts(2))).rejects.toThrow(ChatUnavailable);
  });
});
