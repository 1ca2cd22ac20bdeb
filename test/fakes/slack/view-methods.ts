import { refuseBadView } from './block-rules.ts';
import { type Method, withIds } from './chat-methods.ts';
import type { Grants } from './grants.ts';
import { type Json, SlackRefusal, str } from './json.ts';
import { LIMITS } from './limits.ts';
import type { View, World } from './world.ts';

/** A view in the form in which Slack's answers and payloads carry it; `values` is the state of its inputs. */
export function viewJson(world: World, view: View, values: Json = {}): Json {
  const { appId, botId, team } = world.workspace;
  const absent = {
    private_metadata: '',
    callback_id: '',
    external_id: '',
    title: null,
    submit: null,
    close: null,
  };
  return {
    ...absent,
    clear_on_close: false,
    notify_on_close: false,
    ...view.definition,
    id: view.id,
    team_id: team.id,
    blocks: view.blocks,
    state: { values },
    hash: view.hash,
    root_view_id: view.rootViewId,
    previous_view_id: view.previousViewId,
    app_id: appId,
    app_installed_team_id: team.id,
    bot_id: botId,
  };
}

/** `views.*`; trigger ids come from `grants`. */
export function viewMethods(grants: Grants): Record<string, Method> {
  return {
    'views.open': (args, { world }) => {
      refuseBadView(args.view, 'modal');
      const { userId } = useTrigger(grants, args);
      return shown(world, addView(world, userId, args.view));
    },
    'views.push': (args, { world }) => {
      refuseBadView(args.view, 'modal');
      const { userId, viewId } = useTrigger(grants, args);
      const under = viewId === undefined ? undefined : world.views.get(viewId);
      if (!under?.open) throw new SlackRefusal('not_found');
      return shown(world, pushView(world, userId, args.view, under));
    },
    'views.update': (args, { world }) => {
      const view = openView(world, args);
      refuseBadView(args.view, view.type);
      refuseOtherHash(view, args);
      return shown(world, replaceView(world, view, args.view));
    },
    'views.publish': (args, { world }) => {
      refuseBadView(args.view, 'home');
      const user = world.user(str(args.user_id));
      const home = [...world.views.values()].find((each) => each.type === 'home' && each.userId === user.id);
      if (!home) return shown(world, addView(world, user.id, args.view));
      refuseOtherHash(home, args);
      return shown(world, replaceView(world, home, args.view));
    },
  };
}

/** Puts a view on the stack of open modals; Slack allows three. */
export function pushView(world: World, userId: string, definition: Json, under: View): View {
  const stack = [...world.views.values()].filter((each) => each.open && each.rootViewId === under.rootViewId);
  if (stack.length >= LIMITS.viewStack) throw new SlackRefusal('push_limit_reached');
  return addView(world, userId, definition, under);
}

/** Changes what an open view shows. */
export function replaceView(world: World, view: View, definition: Json): View {
  Object.assign(view, { definition, blocks: withIds(world, definition.blocks), hash: world.nextTs() });
  view.at = world.now();
  world.changed();
  return view;
}

function addView(world: World, userId: string, definition: Json, under?: View): View {
  const externalId = str(definition.external_id);
  const taken = [...world.views.values()].some(
    (each) => each.open && each.definition.external_id === externalId,
  );
  if (externalId !== '' && taken) throw new SlackRefusal('duplicate_external_id');
  const id = world.freshId('V');
  const view: View = {
    id,
    type: definition.type === 'home' ? 'home' : 'modal',
    userId,
    hash: world.nextTs(),
    open: true,
    rootViewId: under?.rootViewId ?? id,
    previousViewId: under?.id ?? null,
    definition,
    blocks: withIds(world, definition.blocks),
    at: world.now(),
  };
  world.views.set(id, view);
  world.changed();
  return view;
}

function openView(world: World, args: Json): View {
  const byExternalId = (each: View) => each.open && each.definition.external_id === args.external_id;
  const view = args.view_id
    ? world.views.get(str(args.view_id))
    : [...world.views.values()].find((each) => args.external_id && byExternalId(each));
  if (!view?.open) throw new SlackRefusal('not_found');
  return view;
}

function useTrigger(grants: Grants, args: Json): { userId: string; viewId?: string } {
  if (!args.trigger_id) throw new SlackRefusal('invalid_arguments', ['missing required field: trigger_id']);
  return grants.useTrigger(str(args.trigger_id));
}

function refuseOtherHash(view: View, args: Json): void {
  if (args.hash !== undefined && args.hash !== view.hash) throw new SlackRefusal('hash_conflict');
}

function shown(world: World, view: View): Json {
  return { view: viewJson(world, view) };
}
