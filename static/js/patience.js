// The server has too much to do, and says when to come back: the same request again, a few times. It was not done, so
// nothing is doubled. After that the answer is the caller's matter.

const TRIES = 4;

export async function patiently(ask) {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    const seconds = Number(answer.headers.get("Retry-After"));
    if (answer.status !== 503 || !seconds || tries === TRIES) return answer;
    // Spread, or all would come back at the same moment.
    await new Promise((done) => setTimeout(done, seconds * 1000 * (1 + Math.random() / 2)));
  }
}
