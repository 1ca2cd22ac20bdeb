/** Whether a scope of the switch covers something of an agent: those of other agents do not. */
export const scopeOf = (scope: string, agent: string): boolean =>
  scope === `agent/${agent}` || scope.startsWith(`tool/${agent}/`) || !/^(agent|tool)\//.test(scope);
