import Sqlite from 'better-sqlite3';
import { fileOf } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

interface Result {
  id: string;
  match_type: string;
  score_parts: Record<string, number>;
  memory: { content: string };
}

/** Of each language a memory, another one, and a question that the first answers in other forms of its words. */
const LANGUAGES: Record<string, [memory: string, other: string, question: string]> = {
  de: [
    'Meine Katze schläft am liebsten im Garten.',
    'Der Zug nach Berlin hatte gestern zwei Stunden Verspätung.',
    'Wo sind die Katzen?',
  ],
  fr: [
    'Mon frère a acheté deux chevaux.',
    'Le train de Paris est arrivé avec du retard.',
    'Qui voulait acheter un cheval ?',
  ],
  es: [
    'Mi hermana está trabajando en dos canciones nuevas.',
    'El tren de Madrid llegó muy tarde ayer.',
    '¿Quién escribe una canción?',
  ],
  it: [
    'Le mie amiche lavorano in una libreria.',
    'Il treno per Roma è arrivato in ritardo.',
    'Dove lavora la tua amica?',
  ],
  pt: [
    'Os meus irmãos estavam trabalhando na fábrica.',
    'O comboio de Lisboa chegou muito tarde ontem.',
    'Onde trabalha o teu irmão?',
  ],
  nl: [
    'De kinderen hebben twee katten en veel boeken gekregen.',
    'De trein naar Utrecht was gisteren te laat.',
    'Wie heeft er een boek?',
  ],
  sv: [
    'Flickorna plockar äpplen i trädgården.',
    'Tåget till Stockholm var mycket försenat igår.',
    'Vilken flicka är det?',
  ],
  da: [
    'Hundene løber efter kattene på gaden.',
    'Toget til Aarhus var meget forsinket i går.',
    'Hvilken hund er det?',
  ],
  no: [
    'Jentene kjøpte båtene ved fjorden.',
    'Toget til Bergen var mye forsinket i går.',
    'Hvilken båt er det?',
  ],
  fi: [
    'Minun koirani nukkuvat aina puutarhassa ja ne ovat vanhoja.',
    'Juna Turkuun oli eilen kaksi tuntia myöhässä.',
    'Missä puutarha on?',
  ],
  tr: ['Kediler evde uyuyor, çünkü bahçe çok soğuk.', 'Ankara treni dün iki saat geç geldi.', 'Kedi nerede?'],
  pl: [
    'Moje koty śpią w ogrodach, bo tam jest ciepło.',
    'Wczoraj pociąg do Krakowa był bardzo spóźniony.',
    'Gdzie jest kot?',
  ],
  cs: [
    'Moje kočky spí na zahradě, protože je tam teplo.',
    'Vlak do Brna měl včera velké zpoždění.',
    'Kde je kočka?',
  ],
  hu: [
    'Anna két könyvet vett a városban, és nagyon örül.',
    'A pécsi vonat tegnap sokat késett, mert esett a hó.',
    'Hol vannak a könyvek?',
  ],
  ro: [
    'Pisicile dorm în grădină și câinele este în casă.',
    'Trenul spre Brașov a întârziat ieri foarte mult.',
    'Unde este pisica?',
  ],
  ru: ['Мои кошки спят в саду.', 'Поезд в Казань вчера опоздал на два часа.', 'Где моя кошка?'],
  ar: ['اشترى المعلمون سيارات جديدة', 'تأخر القطار الى القاهرة امس ساعتين', 'من عنده سيارة؟'],
  el: ['Οι γάτες κοιμούνται στον κήπο.', 'Το τρένο για την Αθήνα άργησε χθες.', 'Πού είναι η γάτα;'],
};
const ENGLISH = [
  'The war museum opens at nine, and men in hats die of boredom there.',
  'My son said no to the dove soap; come and see the art.',
  'Our invoices are sent on the first of the month.',
  'Müller ordered a new boat for the summer.',
];

describe('memories in many languages, with a model that knows English', () => {
  let loci: Loci;
  let acme: TestTenant;
  beforeAll(async () => {
    loci = await Loci.start();
    acme = await loci.tenant();
    const contents = [...Object.values(LANGUAGES).flatMap(([one, other]) => [one, other]), ...ENGLISH];
    const memories = contents.map((content) => ({ content }));
    expect((await acme.post('/memory/batch', { memories })).status).toBe(201);
  });
  afterAll(() => loci.stop());

  async function recall(fields: Record<string, unknown>): Promise<Result[]> {
    const { status, body } = await acme.post<{ results: Result[]; degraded?: string[] }>('/recall', {
      ...fields,
      explain: true,
    });
    expect([status, body.degraded]).toEqual([200, undefined]);
    return body.results;
  }
  /** What has a word of the question. */
  const byWords = (results: Result[]): string[] =>
    results
      .filter(({ score_parts: parts }) => (parts['keyword'] ?? 0) > 0)
      .map(({ memory }) => memory.content);

  it.each(Object.entries(LANGUAGES))(
    'are found by words in other forms, and by these alone (%s)',
    async (_language, [memory, , question]) => {
      const results = await recall({ query: question, limit: 100 });
      expect(results[0]?.memory.content).toBe(memory);
      expect(results[0]?.match_type).toBe('hybrid');
      expect(byWords(results)).toEqual([memory]);
    },
  );

  it.each<[string, string[]]>([
    ['When does the museum of war open?', ENGLISH.slice(0, 1)],
    ['Who says no to soap?', ENGLISH.slice(1, 2)],
    ['invoice month', ENGLISH.slice(2, 3)],
    ['What did Müller order?', ENGLISH.slice(3, 4)],
  ])('take nothing from English ones beside them: %s', async (query, found) => {
    const results = await recall({ query, limit: 100 });
    expect(byWords(results)).toEqual(found);
    expect(results[0]?.memory.content).toBe(found[0]);
  });

  it('are looked for in the language that the caller names, where a word alone does not tell', async () => {
    const [memory] = LANGUAGES['de'] ?? [];
    for (const language of ['de', 'German']) {
      expect(byWords(await recall({ query: 'Katzen', language, limit: 100 }))).toEqual([memory]);
    }
    expect(byWords(await recall({ query: 'Katzen', language: 'en', limit: 100 }))).toEqual([]);
  });

  it('are indexed anew by themselves where a store was built with other terms', async () => {
    const path = fileOf(loci, acme);
    await loci.restart(() => {
      const file = new Sqlite(path);
      file.exec('DELETE FROM v1_postings; DELETE FROM v1_tail; PRAGMA user_version = 3;');
      file.close();
      return Promise.resolve();
    });
    const [memory, , question] = LANGUAGES['de'] ?? [];
    expect(byWords(await recall({ query: question, limit: 100 }))).toEqual([memory]);
    const verified = await loci.operator.post(`/admin/tenants/${acme.slug}/verify`);
    expect(verified.body).toMatchObject({ equal: true });
  });
});
