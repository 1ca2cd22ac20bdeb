/** The page on which people decide. */
export const actionUrl = (publicUrl: string, id: string): string =>
  `${publicUrl.replace(/\/$/, '')}/actions/${id}`;
