/**
 * The JSON object in what a model wrote: all of it, or what is left without the thinking aloud, the fence and the words
 * that some put around it. Undefined where there is none.
 */
export function answerJson(text: string): unknown {
  const said = text.split('</think>').at(-1) ?? text;
  const object = said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1);
  for (const candidate of [said, object]) {
    try {
      const value: unknown = JSON.parse(candidate);
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // The next one may be it.
    }
  }
  return undefined;
}
