// Counts the words of a text, most frequent first.

export const handler = async (event, context) => {
  const counts = new Map();
  for (const word of event.text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts].sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
  console.log(`${words.length} different words, ${context.getRemainingTimeInMillis()} ms left`);
  return { words: Object.fromEntries(words.slice(0, event.most ?? 5)), node: process.version };
};
