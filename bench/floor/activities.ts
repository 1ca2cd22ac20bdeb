/** Two effects that cost nothing, so that only the engine is measured. */
export const floorActivities = {
  before: async (id: string): Promise<string> => id,
  after: async (id: string): Promise<string> => id,
};
export type FloorActivities = typeof floorActivities;
