import { addEphemeral, postableContent } from './chat-methods.ts';
import type { Grants, ResponseTarget } from './grants.ts';
import { type Json, SlackRefusal } from './json.ts';
import { LIMITS } from './limits.ts';
import { type HttpAnswer, refusal } from './web-api.ts';
import type { World } from './world.ts';

/** Answers a post to a response url: 404 once it is used up or expired, 400 for bad content. */
export function answerResponseUrl(world: World, grants: Grants, path: string, body: Json): HttpAnswer {
  try {
    const grant = grants.useResponse(path);
    respond(world, grant, body);
    return { status: 200, body: { ok: true } };
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    return { status: error.code.endsWith('_url') ? 404 : 400, body: refusal(error) };
  }
}

/** Does what a response (to a response url, or in the ack of a command) asks for. */
export function respond(world: World, target: ResponseTarget, body: Json): void {
  const original = target.messageTs ? world.message(target.channel, target.messageTs) : undefined;
  const index = world.ephemerals.findIndex((each) => each.ts === target.ephemeralTs);
  if (body.delete_original === true) {
    if (original) world.remove(original, 'response_url');
    else if (index >= 0) world.ephemerals.splice(index, 1);
    world.changed();
    return;
  }
  const content = postableContent(world, body, LIMITS.messageText);
  if (body.replace_original === true && original) {
    world.revise(original, { ...content, metadata: original.metadata, via: 'response_url' });
    return;
  }
  const shown = world.ephemerals[index];
  if (body.replace_original === true && shown) {
    Object.assign(shown, content);
    world.changed();
    return;
  }
  if (body.response_type !== 'in_channel') {
    addEphemeral(world, target.channel, target.user, content);
    return;
  }
  const { botId, botUserId: user } = world.workspace;
  world.post({ ...content, channel: target.channel, user, botId, threadTs: undefined, via: 'response_url' });
}
