/** A name that is safe in URLs, file names and Temporal ids, within a pattern. */
export const NAME = '[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}';
export const NAME_PATTERN = new RegExp(`^${NAME}$`);
