/** Rows of figures, under their names. */

const WIDTH = 11;

export function header(names: readonly string[]): string {
  return names.map((name) => name.padStart(WIDTH)).join(" ");
}

export function row(cells: readonly (number | string)[]): string {
  return cells.map((cell) => written(cell).padStart(WIDTH)).join(" ");
}

function written(cell: number | string): string {
  if (typeof cell === "string") return cell;
  return Number.isInteger(cell) ? cell.toLocaleString("en") : cell.toFixed(1);
}
