import { setTimeout } from 'node:timers/promises';
import { readHome } from '../approvals/inbox.ts';
import { inline } from '../cards/blocks/mrkdwn.ts';
import { isStoreDown, isStoreSlow } from '../db/failure.ts';
import { AppError } from '../errors.ts';
import { type HomeView, homeNotice, homeView, type LinkTo } from './home.ts';
import { actorsFor, type SlackPerson } from './identity.ts';
import type { ListenerDeps } from './listeners/deps.ts';

const AGAIN_AFTER_MS = 1_000;
const TRIES_MAX = 3;
const REMEMBERED_MAX = 10_000;

interface Tab {
  who: SlackPerson;
  /** The person's own conversation with the app. */
  direct: string | undefined;
  /** Being shown, or shown less than a second ago. */
  busy: boolean;
  /** Something happened since. */
  again: boolean;
}

/**
 * The Home tabs that were opened through this process. Each is shown one time after the other and at most once a
 * second; what happens meanwhile is shown then. Slack tells of every opening, so that nobody looks at an old one long.
 */
export class HomeTabs {
  readonly #deps: ListenerDeps;
  readonly #tabs = new Map<string, Tab>();
  #workspaceUrl: Promise<string | undefined> | undefined;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
  }

  /** The person looks at their tab. */
  opened(who: SlackPerson, direct: string | undefined): void {
    const known = this.#tabs.get(who.userId);
    if (this.#tabs.size >= REMEMBERED_MAX) this.#tabs.clear();
    const tab: Tab = known ?? { who, direct, busy: false, again: false };
    this.#tabs.set(who.userId, Object.assign(tab, { who, direct }));
    void this.#show(tab);
  }

  /** The person pressed or submitted something: in the tab itself, or elsewhere while they may look at it. */
  acted(who: SlackPerson, inHome: boolean): void {
    const tab = this.#tabs.get(who.userId);
    if (tab) void this.#show(tab);
    else if (inHome) this.opened(who, undefined);
  }

  async #show(tab: Tab): Promise<void> {
    tab.again = true;
    if (tab.busy) return;
    tab.busy = true;
    for (let failures = 0; tab.again; ) {
      tab.again = false;
      failures = (await this.#publish(tab)) ? 0 : failures + 1;
      if (failures > 0 && failures < TRIES_MAX) tab.again = true;
      await setTimeout(AGAIN_AFTER_MS, undefined, { ref: false });
    }
    tab.busy = false;
  }

  async #publish({ who, direct }: Tab): Promise<boolean> {
    const { slack, services } = this.#deps;
    try {
      await slack.publishHome(who.userId, await this.#view(who, direct));
      return true;
    } catch (error) {
      services.log.warn({ err: error }, 'a Home tab could not be shown');
      return false;
    }
  }

  async #view(who: SlackPerson, direct: string | undefined): Promise<HomeView> {
    const { services, directory } = this.#deps;
    try {
      const known = await actorsFor(services, directory, who);
      const facts = await readHome(services, known, direct);
      return homeView(facts, await this.#linkTo());
    } catch (error) {
      if (isStoreDown(error) || (error instanceof AppError && error.code === 'store_down'))
        return homeNotice('The database does not answer', STORE_DOWN);
      if (isStoreSlow(error)) return homeNotice('The database takes too long', STORE_DOWN);
      if (error instanceof AppError && error.code === 'slack_down')
        return homeNotice(
          'Slack did not say who you are',
          'Nothing can be shown. Open this tab again in a moment.',
        );
      if (error instanceof AppError)
        return homeNotice('You are not known here yet', `${inline(error.message, 1_500)}.`);
      services.log.error({ err: error }, 'a Home tab could not be read');
      return homeNotice(
        'Something went wrong inside',
        'Open this tab again in a moment, or the page instead.',
      );
    }
  }

  /** Permalinks, once Slack has told the address of the workspace. */
  async #linkTo(): Promise<LinkTo> {
    this.#workspaceUrl ??= this.#deps.client.auth.test().then(
      ({ url }) => url,
      () => undefined,
    );
    const url = await this.#workspaceUrl;
    if (url === undefined) this.#workspaceUrl = undefined;
    return ({ channel, ts }) =>
      url === undefined ? undefined : `${url}archives/${channel}/p${ts.replace('.', '')}`;
  }
}

const STORE_DOWN =
  'What waits cannot be shown, and nothing is counted. Nothing begins meanwhile. Open this tab again in a moment.';
