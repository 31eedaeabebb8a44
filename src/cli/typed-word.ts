import { createInterface } from 'node:readline/promises';

/** Asks to type `word`; whether that is what was typed. A closed input is no. */
export async function typedWord(
  word: string,
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  const lines = createInterface({ input, output });
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return (await Promise.race([lines.question(`${question} `), closed])).trim() === word;
  } finally {
    lines.close();
  }
}
