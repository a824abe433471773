/** SAELens' format, read and written. */
export { readSaelens } from './saelensReader.ts';
export { type SaelensMetadata, writeSaelens } from './saelensWriter.ts';
