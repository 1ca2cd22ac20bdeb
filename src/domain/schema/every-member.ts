/** Stands for every member of a map, in a path such as `customers.*.ssn`. */
export const EVERY_MEMBER = '*';
