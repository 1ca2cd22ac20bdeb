/** What a stage is made of: a segment, a release, a group. */
export interface Node {
  name: string;
  events: number;
  detail?: string;
}
