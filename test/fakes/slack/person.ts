import { refuseBadView } from './block-rules.ts';
import type { AckRecord, Carrier, Delivery } from './carrier.ts';
import { messageJson } from './chat-methods.ts';
import type { Grants, ResponseTarget } from './grants.ts';
import { isJson, type Json, str } from './json.ts';
import { respond } from './response-url.ts';
import { pushView, replaceView, viewJson } from './view-methods.ts';
import { type Filled, optionNamed, stateValues } from './view-state.ts';
import { findElement, type Placed } from './visible.ts';
import type { Ephemeral, Message, SlackUser, View, World } from './world.ts';

/** What a person can click in. */
export type Clickable = Message | Ephemeral | View;
/** What became of a submitted modal. */
export type Submission = {
  ack: AckRecord;
  outcome: 'closed' | 'errors' | 'update' | 'push' | 'clear';
  errors: Json;
};

/** What people do in Slack, turned into the payloads that Slack sends for it. */
export class People {
  /** What went wrong where no caller was waiting: acks of commands that never came or had bad content. */
  readonly problems: Error[] = [];

  constructor(
    private readonly world: World,
    private readonly grants: Grants,
    private readonly carrier: Carrier,
    private readonly responseUrl: (path: string) => string,
  ) {}

  /** Clicks a button that is shown now. */
  click(target: Clickable, button: string, userId: string): Delivery {
    const user = this.actingUser(userId);
    const { shown, context } = this.look(target, user);
    const { element, block } = findElement(shown, button);
    if (element.type !== 'button') throw new Error(`'${button}' is no button but a ${element.type}`);
    const { text, value, url, style } = element;
    const extra = {
      text,
      ...(value === undefined ? {} : { value }),
      ...(url ? { url } : {}),
      ...(style ? { style } : {}),
    };
    return this.act(user, { element, block }, extra, context);
  }

  /** Chooses an option of a menu or an overflow that is shown now. */
  select(target: Clickable, actionId: string, option: string, userId: string): Delivery {
    const user = this.actingUser(userId);
    const { shown, context } = this.look(target, user);
    const placed = findElement(shown, actionId);
    return this.act(user, placed, { selected_option: optionNamed(placed.element, option) }, context);
  }

  /** Fills in and submits an open modal, waits for the ack and does what it says. */
  async submit(viewId: string, filled: Filled, userId: string): Promise<Submission> {
    const user = this.actingUser(userId);
    const view = this.openModal(viewId, user);
    const values = stateValues(view, filled);
    const payload = {
      type: 'view_submission',
      ...this.common(user),
      trigger_id: this.grants.issueTrigger(user.id, view.id),
      view: viewJson(this.world, view, values),
      response_urls: [],
    };
    const ack = await this.carrier.deliver('interactive', payload).ack();
    return this.follow(view, ack);
  }

  /** Closes a modal without submitting it; the app hears of it only with `notify_on_close`. */
  close(viewId: string, userId: string): Delivery | undefined {
    const user = this.actingUser(userId);
    const view = this.openModal(viewId, user);
    this.shut(view);
    if (view.definition.notify_on_close !== true) return undefined;
    const payload = {
      type: 'view_closed',
      ...this.common(user),
      view: viewJson(this.world, view),
      is_cleared: false,
    };
    return this.carrier.deliver('interactive', payload);
  }

  /** Types a slash command; text in the ack is shown to the person. */
  command(command: string, text: string, userId: string, channelName: string): Delivery {
    const user = this.actingUser(userId);
    const channel = this.world.channel(channelName);
    if (!channel?.members.has(user.id)) throw new Error(`${user.id} is not in ${channelName}`);
    const target = { channel: channel.id, user: user.id };
    const { team, appId } = this.world.workspace;
    const delivery = this.carrier.deliver('slash_commands', {
      token: 'fake',
      team_id: team.id,
      team_domain: team.domain,
      channel_id: channel.id,
      channel_name: channel.isIm ? 'directmessage' : channel.name,
      user_id: user.id,
      user_name: user.name,
      command,
      text,
      api_app_id: appId,
      is_enterprise_install: 'false',
      response_url: this.responseUrl(this.grants.issueResponse(target)),
      trigger_id: this.grants.issueTrigger(user.id),
    });
    this.respondToAck(delivery, target);
    return delivery;
  }

  /** Opens the app's Home tab. */
  openHome(userId: string): Delivery {
    const user = this.actingUser(userId);
    const home = [...this.world.views.values()].find(
      (each) => each.type === 'home' && each.userId === user.id,
    );
    const event = {
      type: 'app_home_opened',
      user: user.id,
      channel: this.world.openIm([user.id]).id,
      tab: 'home',
    };
    return this.event({ ...event, ...(home ? { view: viewJson(this.world, home) } : {}) });
  }

  /** Sends an event of the Events API. */
  event(event: Json): Delivery {
    const { team, appId, botUserId } = this.world.workspace;
    const ts = this.world.nextTs();
    return this.carrier.deliver('events_api', {
      token: 'fake',
      team_id: team.id,
      api_app_id: appId,
      type: 'event_callback',
      event_id: this.world.freshId('Ev'),
      event_time: Math.floor(this.world.now() / 1000),
      authorizations: [{ team_id: team.id, user_id: botUserId, is_bot: true, is_enterprise_install: false }],
      event: { event_ts: ts, ...event },
    });
  }

  private act(user: SlackUser, { element, block }: Placed, extra: Json, context: Json): Delivery {
    const view = isJson(context.view) ? str(context.view.id) : undefined;
    const { action_id, type } = element;
    const action = { action_id, block_id: block.block_id, ...extra, type, action_ts: this.world.nextTs() };
    return this.carrier.deliver('interactive', {
      type: 'block_actions',
      ...this.common(user),
      trigger_id: this.grants.issueTrigger(user.id, view),
      ...context,
      actions: [action],
    });
  }

  private look(target: Clickable, user: SlackUser): { shown: Clickable; context: Json } {
    if ('definition' in target) {
      const view = this.world.views.get(target.id);
      if (!view?.open || view.userId !== user.id)
        throw new Error(`${user.id} does not see view ${target.id}`);
      const container = { type: 'view', view_id: view.id };
      return { shown: view, context: { container, view: viewJson(this.world, view) } };
    }
    const channel = this.world.channels.get(target.channel);
    if (!channel?.members.has(user.id)) throw new Error(`${user.id} is not in ${target.channel}`);
    const { id, name, isIm } = channel;
    const place = { channel: { id, name: isIm ? 'directmessage' : name }, state: { values: {} } };
    const container = { type: 'message', message_ts: target.ts, channel_id: id };
    if ('revisions' in target) {
      const message = this.world.message(id, target.ts);
      if (!message || message.deleted) throw new Error(`message ${target.ts} is not shown`);
      const response_url = this.response({ channel: id, user: user.id, messageTs: message.ts });
      const json = messageJson(this.world, message);
      const seen = { ...container, is_ephemeral: false };
      return { shown: message, context: { container: seen, ...place, message: json, response_url } };
    }
    const ephemeral = this.world.ephemerals.find((each) => each.ts === target.ts && each.user === user.id);
    if (!ephemeral) throw new Error(`${user.id} does not see ephemeral message ${target.ts}`);
    const response_url = this.response({ channel: id, user: user.id, ephemeralTs: target.ts });
    return {
      shown: ephemeral,
      context: { container: { ...container, is_ephemeral: true }, ...place, response_url },
    };
  }

  private follow(view: View, ack: AckRecord): Submission {
    const action = str(ack.payload.response_action);
    if (action === 'errors') {
      const errors = isJson(ack.payload.errors) ? ack.payload.errors : {};
      const inputs = view.blocks.filter((block) => block.type === 'input').map((block) => block.block_id);
      const lost = Object.keys(errors).filter((id) => !inputs.includes(id));
      if (lost.length > 0)
        throw new Error(`errors for '${lost.join("', '")}' are shown nowhere: no such input block`);
      return { ack, outcome: 'errors', errors };
    }
    if (action === 'update' || action === 'push') {
      const next = ack.payload.view;
      refuseBadView(next, 'modal');
      if (action === 'update') replaceView(this.world, view, next);
      else pushView(this.world, view.userId, next, view);
      return { ack, outcome: action, errors: {} };
    }
    const clears = action === 'clear' || view.definition.clear_on_close === true;
    for (const each of this.world.views.values()) {
      if (each === view || (clears && each.rootViewId === view.rootViewId)) this.shut(each);
    }
    return { ack, outcome: action === 'clear' ? 'clear' : 'closed', errors: {} };
  }

  private respondToAck(delivery: Delivery, target: ResponseTarget): void {
    const show = (ack: AckRecord) => {
      if (ack.payload.text || ack.payload.blocks) respond(this.world, target, ack.payload);
    };
    // Slack shows nothing for content it refuses, and the person an error for a missing ack: both are the test's to see.
    delivery
      .ack()
      .then(show)
      .catch((error) => this.problems.push(error));
  }

  private actingUser(id: string): SlackUser {
    const user = this.world.users.get(id);
    if (!user || user.deactivated) throw new Error(`${id} cannot act: unknown or deactivated`);
    return user;
  }

  private openModal(viewId: string, user: SlackUser): View {
    const view = this.world.views.get(viewId);
    if (!view?.open || view.userId !== user.id || view.type !== 'modal') {
      throw new Error(`${user.id} has no open modal ${viewId}`);
    }
    return view;
  }

  private shut(view: View): void {
    view.open = false;
    this.world.changed();
  }

  private response(target: ResponseTarget): string {
    return this.responseUrl(this.grants.issueResponse(target));
  }

  private common(user: SlackUser): Json {
    const { team, appId } = this.world.workspace;
    return {
      user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId },
      api_app_id: appId,
      token: 'fake',
      team: { id: team.id, domain: team.domain },
      enterprise: null,
      is_enterprise_install: false,
    };
  }
}
