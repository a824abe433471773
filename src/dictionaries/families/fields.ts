/** Fields that several families' options share. */
import * as z from 'zod';

/** The number of latents. */
export const latents = z.int().positive().default(4608);

/** How many latents are active on a token. */
export const latentsPerToken = z.int().positive().default(32);
