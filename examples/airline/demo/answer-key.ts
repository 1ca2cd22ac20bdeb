import { type ActionRow, type Api, ApiProblem } from './api.ts';
import { keepLooking, type Looking } from './background.ts';
import { type Truth, truthOf } from './recording.ts';
import { AGENT } from './setup.ts';
import { callIdOf } from './tally.ts';

const LOOK_EVERY_MS = 60;
const AT_ONCE = 8;

/** Shown the first card; may answer it in the viewer's name. `undefined`: the answer key answers. */
export type FirstCard = (card: ActionRow) => Promise<'approve' | 'deny' | undefined>;

export interface AnswerKeyDeps {
  api: Api;
  viewer: Api;
  truth: Truth;
  firstCard: FirstCard;
}

/**
 * The stand-in for the people who are asked: approves what the reference solution has, denies the rest, at once and
 * without error, through the API a person's page uses. A real person is slower and errs.
 */
export function startAnswerKey({ api, viewer, truth, firstCard }: AnswerKeyDeps): Looking {
  const answered = new Set<string>();
  let first: Promise<void> | undefined;

  const answer = async (action: ActionRow, by: Api, verdict: 'approve' | 'deny', reason: string) => {
    const seen = { digest: action.argsDigest, revision: action.revision };
    await by
      .post(`/v1/actions/${action.id}/decisions`, { verdict, ...seen, reason })
      .catch((error: unknown) => {
        // A stop ended the question between the look and the answer: nothing is left to decide.
        if (!(error instanceof ApiProblem && error.code === 'not_pending')) throw error;
      });
  };
  const byKey = (action: ActionRow) => {
    const right = truthOf(truth, callIdOf(action) ?? '').expected;
    const reason = right ? 'the reference solution has this call' : 'the reference solution has no such call';
    return answer(action, api, right ? 'approve' : 'deny', reason);
  };
  const showFirst = async (action: ActionRow) => {
    const verdict = await firstCard(await api.get<ActionRow>(`/v1/actions/${action.id}`));
    if (verdict) await answer(action, viewer, verdict, 'answered by the viewer');
    else await byKey(action);
  };
  const look = async () => {
    const { actions } = await api.get<{ actions: ActionRow[] }>(
      `/v1/actions?agent=${AGENT}&state=pending&limit=200`,
    );
    const fresh = actions.filter(({ id }) => !answered.has(id)).reverse();
    for (let at = 0; at < fresh.length; at += AT_ONCE) {
      await Promise.all(
        fresh.slice(at, at + AT_ONCE).map((action) => {
          answered.add(action.id);
          if (first) return byKey(action);
          first = showFirst(action);
          return undefined;
        }),
      );
    }
  };
  const looking = keepLooking(LOOK_EVERY_MS, look);
  return {
    failed: looking.failed,
    async stop() {
      await first;
      await looking.stop();
    },
  };
}
