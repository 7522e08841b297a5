/** A collar's charge, from its voltage. */

/** Corners of the portal's own curve: millivolts and percent, straight lines between them. */
const CURVE = [
  [3600, 17],
  [3760, 34],
  [3840, 50],
  [3900, 67],
  [4000, 83],
  [4150, 100],
] as const;

/**
 * Charge in whole percent by the portal's curve. Below 3600 mV it is 0: the portal's curve has a step there.
 * @param millivolts the collar's `bat`
 */
export function batteryPercent(millivolts: number): number {
  let [lowMv, lowPercent]: readonly [number, number] = CURVE[0];
  if (millivolts < lowMv) return 0;
  for (const [mv, percent] of CURVE) {
    if (millivolts <= mv)
      return Math.round(lowPercent + ((millivolts - lowMv) / Math.max(mv - lowMv, 1)) * (percent - lowPercent));
    [lowMv, lowPercent] = [mv, percent];
  }
  return 100;
}

/** A rise that a discharging battery has to show before it is believed, percent: less is the noise of its voltage. */
const BELIEVED_RISE = 2;

/**
 * The charge to show after `percent` was measured while `shown` is on view. A discharging collar does not creep up
 * and down between two values, and a charging one never falls.
 */
export function shownPercent(shown: number | undefined, percent: number, charging: boolean): number {
  if (shown === undefined) return percent;
  if (charging) return Math.max(shown, percent);
  return percent > shown && percent - shown < BELIEVED_RISE ? shown : percent;
}
