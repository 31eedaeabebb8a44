import { aboveFloor } from '../../src/modules/memory/score-floor.js';

describe('the floor under scores', () => {
  const kept = (...scores: number[]) =>
    aboveFloor(
      scores.map((score) => ({ score })),
      'adaptive',
    ).map(({ score }) => score);

  it('leaves out what is below half of the best', () => {
    expect(kept(0.9, 0.8, 0.7, 0.6, 0.5, 0.4)).toEqual([0.9, 0.8, 0.7, 0.6, 0.5]);
  });

  it('leaves out what comes after a plunge', () => {
    expect(kept(0.8, 0.78, 0.5, 0.49)).toEqual([0.8, 0.78]);
    expect(kept(0.8, 0.5)).toEqual([0.8]);
  });

  it('leaves scores alone that fall slowly, and keeps the best always', () => {
    expect(kept(0.8, 0.7, 0.6, 0.5)).toEqual([0.8, 0.7, 0.6, 0.5]);
    expect(kept(0.1)).toEqual([0.1]);
    expect(kept()).toEqual([]);
  });

  it('is where the caller says, whatever the scores do above it', () => {
    const scores = [0.8, 0.5, 0.2, 0.1].map((score) => ({ score }));
    expect(aboveFloor(scores, 0.2)).toEqual(scores.slice(0, 3));
    expect(aboveFloor(scores, 0.7)).toEqual(scores.slice(0, 1));
    expect(aboveFloor(scores, 0)).toEqual(scores);
  });

  it('leaves out nothing where nothing has a score', () => {
    expect(kept(0, 0, 0)).toEqual([0, 0, 0]);
  });
});
