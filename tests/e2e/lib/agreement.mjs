// GPU against processor on the page itself: the same prompts, greedy, on both backends.
import { messages } from "./instrument.mjs";
import { ask, choose } from "./page.mjs";

/** Texts that go on in different ways: facts, lists, stories, code, sums, letters. */
export const PROMPTS = [
  "What is the capital of France, and what is it known for?",
  "Name three uses of a brick.",
  "Tell me a short story about a lighthouse keeper.",
  "Explain in one paragraph why the sky is blue.",
  "Write a Python function that adds two numbers.",
  "Rewrite politely: Send me the report now.",
  "Is this review positive or negative? The soup was cold and the waiter was rude.",
  "What is 12 plus 30? Answer step by step.",
  "Write a two-line poem about autumn.",
  "Summarise: The meeting moved from Monday to Thursday because two people were ill.",
];

/** The likeliest token every time; a seed all the same, so that nothing is left to chance. */
const GREEDY = { temperature: 0, "top-k": 0, "top-p": 1, "min-p": 0, "repetition-penalty": 1, "max-tokens": 32, seed: 1 };

/** Of the texts, how many must be the same: ties that rounding decides may part a few. */
export const LEAST_SAME = 8;

/** Answers every prompt alone on the loaded backend. Gives `[{ text, ids }]`; `say` is told how far it is. */
export async function answers(page, say) {
  await choose(page, "chat", GREEDY);
  const all = [];
  for (const [index, prompt] of PROMPTS.entries()) {
    if (await page.getByTestId("new-chat").isEnabled()) {
      await page.getByTestId("new-chat").click();
    }
    const { text } = await ask(page, prompt);
    const { id } = (await messages(page, "worker", "Finished")).at(-1).body;
    const tokens = (await messages(page, "worker", "Token")).filter((message) => message.body.id === id);
    all.push({ text, ids: tokens.map((message) => message.body.token) });
    say(`${index + 1} of ${PROMPTS.length} prompts answered`);
  }
  return all;
}

/** Where two lists of tokens part: an index, or null if they are the same. */
export function partsAt(a, b) {
  const at = a.findIndex((id, index) => id !== b[index]);
  if (at >= 0) {
    return at;
  }
  return a.length === b.length ? null : a.length;
}

/** What two backends' answers have in common, prompt by prompt. */
export function compare(gpu, cpu) {
  const prompts = PROMPTS.map((prompt, index) => {
    const [ours, theirs] = [gpu[index], cpu[index]];
    const at = partsAt(ours.ids, theirs.ids);
    const texts = at === null ? {} : { gpu: ours.text, cpu: theirs.text };
    return { prompt, tokens: ours.ids.length, same: ours.text === theirs.text, parts_at_token: at, ...texts };
  });
  return { same: prompts.filter((prompt) => prompt.same).length, of: prompts.length, prompts };
}
