import { PreparedStatements } from '../../src/platform/database/prepared-statements.js';

describe('prepared statements', () => {
  it('gives each text one name, whatever its values', () => {
    const statements = new PreparedStatements(true);
    const first = statements.of('SELECT $1', [1]);
    expect(statements.of('SELECT $1', [2])).toMatchObject({
      name: first.name,
      text: 'SELECT $1',
      values: [2],
    });
    expect(statements.of('SELECT $1::text', ['x']).name).not.toBe(first.name);
  });

  it('names nothing over a pooler, whose sessions change between transactions', () => {
    expect(new PreparedStatements(false).of('SELECT $1', [1])).toMatchObject({
      text: 'SELECT $1',
      values: [1],
    });
  });

  it('stops naming where texts keep coming, so that no session fills up', () => {
    const statements = new PreparedStatements(true);
    const names = Array.from({ length: 1_000 }, (_, at) => statements.of(`SELECT ${at}`, []).name);
    expect(names.filter((name) => name !== undefined).length).toBe(500);
    expect(statements.of('SELECT 0', []).name).toBe(names[0]);
  });
});
