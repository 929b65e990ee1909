// The rows of office.yml that scenarios name.

export const WORKS = "a0000000-0000-4000-8000-000000000001"; // the account Cycle Works, number CW-1
export const NORTH = "a0000000-0000-4000-8000-000000000002"; // the account Cycle Works North, below it
export const ADA = "c0000000-0000-4000-8000-000000000001"; // a contact of Cycle Works
export const GULL = "e0000000-0000-4000-8000-000000000001"; // a bicycle, ridden by Ada
export const ALBATROS = "b0000000-0000-4000-8000-000000000001"; // its brand
export const DORA = "80000000-0000-4000-8000-000000000001"; // a user
export const NOBODY = "00000000-0000-4000-8000-00000000dead"; // no row at all

/** A text that no other row has. */
export function fresh(prefix) {
  return `${prefix} ${crypto.randomUUID().slice(0, 8)}`;
}
