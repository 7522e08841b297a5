/** The end of what was begun last: two runs may overlap, and what both find missing is to be made once. */
let last: Promise<unknown> = Promise.resolve();

/** Does something when everything that was begun before is done. What it throws is its caller's. */
export function inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
  const turn = last.then(action);
  last = turn.catch(() => {});
  return turn;
}
