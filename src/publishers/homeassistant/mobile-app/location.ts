/** A collar's position as a mobile app tells it. Pure. */
import type { View } from "../../../entities/entity.ts";
import { positionOf } from "../../../entities/position.ts";
import { z } from "../../../lib/schema.ts";
import type { Collar } from "../../../model/device.ts";

/** As `update_location` takes it, whose answer is the same whether it does or not. */
const location = z.strictObject({
  gps: z.tuple([z.number().min(-90).max(90), z.number().min(-180).max(180)]),
  gps_accuracy: z.number().min(0),
  battery: z.number().int().min(0).max(100).optional(),
});

export type Location = z.output<typeof location>;

/** The whole of it, since only the last message counts; undefined while there is no position, or none on this earth. */
export function locationOf(collar: Collar, view: View): Location | undefined {
  const position = positionOf(collar, view);
  if (position === undefined) return undefined;
  const { batteryPercent } = collar;
  return location.safeParse({
    gps: [position.latitude, position.longitude],
    gps_accuracy: position.gps_accuracy,
    ...(batteryPercent !== undefined && { battery: Math.round(batteryPercent) }),
  }).data;
}
